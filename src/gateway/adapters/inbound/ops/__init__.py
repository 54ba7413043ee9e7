"""Routes for operators. They join the answers of all services, and pass changes on to one service."""
