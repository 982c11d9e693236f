"""What everything else is made of: dates, money, tables, progress. No warehouse is known here."""
