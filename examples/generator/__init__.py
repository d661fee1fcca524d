"""What generate_circuits.py is made of."""
