"""From typed segments to tokens: the only place of the project that tokenises."""
