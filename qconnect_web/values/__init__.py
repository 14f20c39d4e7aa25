"""What travels between the rooms: frozen values, each checked once, where it enters, and trusted afterwards."""
