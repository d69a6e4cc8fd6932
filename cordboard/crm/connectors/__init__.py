"""Where customers are kept: one file for each kind of CRM."""
