-- The fragments of three letters that there are: a word of two letters is looked for by those that begin with it.
CREATE VIRTUAL TABLE letters_terms USING fts5vocab('letters', 'row');
