"""Where the simulated fleet lives: cities of the Yangtze delta, depots and customers near them.

Plane geometry in metres around each place: good to 1 % over the 200 km the fleet covers, which is
all a simulation needs.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from geo.distance import METRES_PER_DEGREE
from geo.model import Fence, Stop, StopRole

DEPOTS_PER_CITY = 2
DEPOT_SPREAD_M = 8_000.0
CUSTOMER_SPREAD_M = 5_000.0


@dataclass(frozen=True, slots=True)
class Place:
    lat: float
    lon: float

    def moved(self, east_m: float, north_m: float) -> Place:
        lon_m = METRES_PER_DEGREE * math.cos(math.radians(self.lat))
        return Place(self.lat + north_m / METRES_PER_DEGREE, self.lon + east_m / lon_m)

    def towards(self, other: Place) -> tuple[float, float]:
        """Metres east and north from here to `other`."""
        lon_m = METRES_PER_DEGREE * math.cos(math.radians((self.lat + other.lat) / 2))
        return (other.lon - self.lon) * lon_m, (other.lat - self.lat) * METRES_PER_DEGREE

    def metres_to(self, other: Place) -> float:
        return math.hypot(*self.towards(other))


@dataclass(frozen=True, slots=True)
class City:
    code: str
    name: str
    centre: Place


CITIES = (
    City("SH", "上海 Shanghai", Place(31.23, 121.47)),
    City("SZ", "苏州 Suzhou", Place(31.30, 120.62)),
    City("HZ", "杭州 Hangzhou", Place(30.25, 120.17)),
    City("NB", "宁波 Ningbo", Place(29.87, 121.55)),
    City("NJ", "南京 Nanjing", Place(32.06, 118.79)),
    City("WX", "无锡 Wuxi", Place(31.57, 120.30)),
    City("CZ", "常州 Changzhou", Place(31.78, 119.95)),
    City("JX", "嘉兴 Jiaxing", Place(30.75, 120.75)),
    City("SX", "绍兴 Shaoxing", Place(30.00, 120.58)),
    City("NT", "南通 Nantong", Place(32.01, 120.86)),
)


@dataclass(frozen=True, slots=True)
class Depot:
    depot_id: str
    city: City
    place: Place

    def stop(self, role: StopRole) -> Stop:
        """Yards are large, so their fence is wider than a customer's door."""
        fence = Fence(lat=self.place.lat, lon=self.place.lon, enter_m=200.0, exit_m=320.0)
        return Stop(stop_id=self.depot_id, role=role, fence=fence)


def depots(rng: random.Random) -> tuple[Depot, ...]:
    return tuple(
        Depot(f"{city.code}-D{n + 1}", city, near(rng, city.centre, DEPOT_SPREAD_M))
        for n in range(DEPOTS_PER_CITY)
        for city in CITIES
    )


def near(rng: random.Random, centre: Place, spread_m: float) -> Place:
    """A place around `centre`, normally spread, so that some are far out."""
    place = centre.moved(rng.gauss(0, spread_m), rng.gauss(0, spread_m))
    return Place(round(place.lat, 6), round(place.lon, 6))


def place_of(stop: Stop) -> Place:
    return Place(stop.fence.lat, stop.fence.lon)
