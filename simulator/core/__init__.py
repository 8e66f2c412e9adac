"""The compiled core: kernels on arrays. numpy and numba only; imports nothing of ours."""
