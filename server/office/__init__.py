"""The documents that kiosks work by: office and board, in versions, and the names that were in force when."""
