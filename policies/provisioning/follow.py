"""Follow: servers for the planned load at a target utilisation."""

from __future__ import annotations

from policies.provisioning.planned import PlannedLoad


class Follow(PlannedLoad):
    """Planned load / target utilisation."""

    def __init__(self, utilisation: float = 0.7, least: float = 0.0):
        super().__init__(least)
        if not 0 < utilisation <= 1:
            raise ValueError(f"utilisation must be above 0 and at most 1 (given {utilisation})")
        self.utilisation = utilisation

    def places(self, load: float) -> float:
        """Load / utilisation."""
        return load / self.utilisation
