"""What a commune tells its citizens: public pages, frozen figures, answers to comments, the weekly bulletin."""
