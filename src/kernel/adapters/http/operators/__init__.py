"""The routes below /ops that every service with a database has. The gateway joins the services' answers."""
