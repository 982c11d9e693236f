"""Row transforms: delivered columns to typed, validated fields."""
