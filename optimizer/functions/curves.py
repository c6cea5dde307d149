"""What each loss costs, and how far a plan may be trusted."""

from __future__ import annotations

from optimizer.analysis.frontier.frontier import Frontier, frontier
from optimizer.analysis.uncertainty.uncertainty import Uncertainty, uncertainty
from optimizer.functions.looks import attach_pages

__all__ = ["frontier", "uncertainty"]

attach_pages(Frontier, Uncertainty)
