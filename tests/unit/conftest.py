from hypothesis import settings

# How long an example takes tells of the machine, not of the rule.
settings.register_profile("unit", deadline=None, max_examples=50)
settings.load_profile("unit")
