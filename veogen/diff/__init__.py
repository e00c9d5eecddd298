"""What one plan would buy that another does not: requests, words and money."""
