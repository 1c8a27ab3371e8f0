"""Communes, their reception points, and the kiosks that stand there."""
