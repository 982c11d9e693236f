"""Results: one package a question, each a pure function of the facts and a day."""
