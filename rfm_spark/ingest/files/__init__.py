"""Raw files: lists, opens and reads the files of deliveries."""
