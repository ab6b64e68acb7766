"""What the DVC files say. Text in, types out; nothing here reads a disk or a network."""
