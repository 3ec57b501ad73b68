"""Long texts that models' authors put into their chat templates. Data only."""
