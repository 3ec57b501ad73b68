"""`make clients`: programs that people have, against `hearth serve` with a real model. Not part of `make test`.

Their packages are large, so they have an environment of their own, which `clients_environment` makes.
"""
