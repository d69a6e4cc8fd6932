"""How web services are asked: by the CRM connector, and for the flows' `http` nodes. Knows neither of them."""
