"""How good the answers are, on the models at hand; run by `make eval`, never a pass or fail of the tests."""
