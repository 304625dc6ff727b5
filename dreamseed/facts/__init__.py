"""Dated facts that promotions are decided on: a store of daily figures, and the signed outcomes of restore drills."""
