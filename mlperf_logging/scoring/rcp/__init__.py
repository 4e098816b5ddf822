"""Reference convergence: whether a submission converged no faster than the reference does at its batch size.

The story in order: `references` makes a mean and a deviation of each batch size's reference runs, prunes the slow
ones and finds or interpolates the one for a batch size; `test` compares a submission's runs with it (`student` is the
distribution); `pass_probability` simulates runs that are still to come; `submissions` does all that for a result
folder, and `own_points` reads points that are not the round's.
"""
