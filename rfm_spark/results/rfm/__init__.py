"""RFM(R): scores, cells and segments of profiles, reconciled."""
