"""Bundled files: font, sample office, default configuration."""
