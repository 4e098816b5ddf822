"""What each command answers: one module per command fills the tables, the JSON fields and the lines around them."""
