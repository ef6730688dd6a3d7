"""SupCon under its own name: `contrast` with every positive in the denominator, averaged outside the logarithm.

    L_i = sum_p pi_ip (log D_i - s_ip),  D_i = sum_p exp s_ip + sum_j (w_ij + k_ij) exp s_ij

Source: Khosla et al. 2020, "Supervised contrastive learning", arXiv 2004.11362, equation 2 (L_out).
"""

from trainer.objectives.contrast import Objective

__all__ = ["Objective"]
