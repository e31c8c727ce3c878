"""From pointer samples to changed arrays: brush contract, samples to dabs, the stroke, symmetry, history."""
