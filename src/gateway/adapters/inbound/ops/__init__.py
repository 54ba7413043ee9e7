"""The routes of operators: what the services tell, joined, and what operators have them do."""
