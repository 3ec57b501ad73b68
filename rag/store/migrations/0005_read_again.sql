-- The readers find more in a file than before (headings of PDFs without a table of contents): all files are read again.
-- Until then their old text serves; only passages that changed are embedded anew.
UPDATE file SET state = 'waiting' WHERE state = 'read';
