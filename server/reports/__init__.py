"""Figures for people: today, over time, ratings, and what is published of them."""
