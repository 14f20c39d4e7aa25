"""TORQUE and OpenPBS: what they are told and what they answer."""
