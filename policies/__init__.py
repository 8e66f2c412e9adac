"""The built-in routing policies."""

from policies.equitable_offline import EquitableOffline
from policies.equitable_online import EquitableOnline
from policies.hedge import Hedge
from policies.merit_order import GlbAll, GlbC2, GlbCarbon, GlbCost, GlbWater
from policies.nearest import Nearest
from policies.receding_horizon import RecedingHorizon
from simulator.policy import RoutingPolicy

POLICIES: dict[str, type[RoutingPolicy]] = {
    "glb-cost": GlbCost,
    "glb-carbon": GlbCarbon,
    "glb-water": GlbWater,
    "glb-c2": GlbC2,
    "glb-all": GlbAll,
    "glb-nearest": Nearest,
    "eglb-off": EquitableOffline,
    "eglb": EquitableOnline,
    "hedge": Hedge,
    "mpc": RecedingHorizon,
}
