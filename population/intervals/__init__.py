"""Intervals of numbers that units tell: seeds, or the problems of one."""
