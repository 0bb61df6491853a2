"""Reference values that golden.R computes in R, and their reader."""
