"""How the networks in weights/ are trained, evaluated and exported. Needs PyTorch; never imported at run time."""
