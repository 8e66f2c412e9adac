"""The built-in policies: of routing, of provisioning, and of batteries."""

from policies.advice import Advice
from policies.equitable_offline import EquitableOffline
from policies.equitable_online import EquitableOnline
from policies.fair_descent import FairDescent
from policies.hedge import Hedge
from policies.hindsight import Hindsight
from policies.merit_order import GlbAll, GlbC2, GlbCarbon, GlbCost, GlbWater
from policies.nearest import Nearest
from policies.peak_water import PeakWater
from policies.provisioning.follow import Follow
from policies.provisioning.on_demand import OnDemand
from policies.provisioning.reactive import Reactive
from policies.provisioning.staffing import Staffing
from policies.provisioning.static import Static
from policies.receding_horizon import RecedingHorizon
from policies.storage import Carbon, Price, SelfConsumption
from policies.water_cap import WaterCap
from simulator.policy import RoutingPolicy
from simulator.provisioning import ProvisioningPolicy
from simulator.storage import StorageControl

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
    "fairobd": FairDescent,
    "mpc": RecedingHorizon,
    "hindsight": Hindsight,
    "advice": Advice,
    "water-cap": WaterCap,
    "peak-water": PeakWater,
}

PROVISIONING: dict[str, type[ProvisioningPolicy]] = {
    "static": Static,
    "follow": Follow,
    "reactive": Reactive,
    "staffing": Staffing,
    "on-demand": OnDemand,
}

STORAGE: dict[str, type[StorageControl]] = {
    "self-consumption": SelfConsumption,
    "price": Price,
    "carbon": Carbon,
}
