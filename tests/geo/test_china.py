from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.china import all_in_mainland, in_mainland

INSIDE = {
    "Beijing": (39.9042, 116.4074),
    "Shanghai": (31.2304, 121.4737),
    "Urumqi": (43.8256, 87.6168),
    "Lhasa": (29.6520, 91.1721),
    "Harbin": (45.8038, 126.5350),
    "Kunming": (25.0389, 102.7183),
    "Haikou": (20.0440, 110.1999),
    "Sanya": (18.2528, 109.5120),
    "Chongming": (31.6230, 121.3970),
    "Zhoushan": (30.0160, 122.1070),
    "Pingtan": (25.5030, 119.7910),
    "Dalian": (38.9140, 121.6147),
    "Kashgar": (39.4704, 75.9898),
    "Shenzhen station": (22.5330, 114.1120),
    "Shenzhen Huanggang port": (22.5225, 114.0720),
    "Yantian port": (22.5750, 114.2750),
    "Shekou": (22.4850, 113.9150),
    "Zhuhai Gongbei": (22.2215, 113.5530),
    "Zhuhai Hengqin": (22.1250, 113.5200),
    "Xiamen": (24.4798, 118.0894),
    "Xiamen Dadeng": (24.5600, 118.3300),
    "Dandong": (40.1244, 124.3837),
    "Ji'an": (41.1260, 126.1850),
    "Linjiang": (41.8110, 126.9180),
    "Tumen": (42.9680, 129.8430),
    "Hunchun": (42.8630, 130.3660),
    "Suifenhe": (44.3990, 131.1500),
    "Fuyuan": (48.3640, 134.2950),
    "Heihe": (50.2450, 127.4950),
    "Manzhouli": (49.5980, 117.3790),
    "Erenhot": (43.6500, 111.9780),
    "Khorgas": (44.2090, 80.4130),
    "Alashankou": (45.1720, 82.5690),
    "Tacheng": (46.7460, 82.9840),
    "Irkeshtam": (39.7160, 73.9750),
    "Tashkurgan": (37.7730, 75.2260),
    "Zhangmu": (27.9920, 85.9830),
    "Yadong": (27.4860, 88.9060),
    "Ruili": (24.0130, 97.8560),
    "Wanding": (24.0860, 98.0690),
    "Mohan": (21.1870, 101.6910),
    "Hekou": (22.5280, 103.9570),
    "Pingxiang": (22.0960, 106.7570),
    "Dongxing": (21.5450, 107.9700),
    "Jinghong": (22.0090, 100.7970),
}
"""Also what lies within a few kilometres of a border."""
OUTSIDE = {
    "Hong Kong Central": (22.2819, 114.1583),
    "Hong Kong Lo Wu": (22.5280, 114.1130),
    "Hong Kong Sheung Shui": (22.5010, 114.1280),
    "Hong Kong airport": (22.3080, 113.9185),
    "Hong Kong Kwai Chung port": (22.3400, 114.1230),
    "Hong Kong Sha Tau Kok": (22.5420, 114.2210),
    "Macau": (22.1900, 113.5430),
    "Macau Cotai": (22.1450, 113.5620),
    "Taipei": (25.0330, 121.5654),
    "Kaohsiung": (22.6273, 120.3014),
    "Penghu": (23.5650, 119.5790),
    "Kinmen": (24.4370, 118.3190),
    "Matsu Nangan": (26.1580, 119.9430),
    "Sinuiju": (40.0990, 124.4000),
    "Manpo": (41.1500, 126.2990),
    "Namyang": (42.9510, 129.8620),
    "Khasan": (42.4280, 130.6450),
    "Vladivostok": (43.1155, 131.8855),
    "Pogranichny": (44.4090, 131.3810),
    "Khabarovsk": (48.4800, 135.0830),
    "Blagoveshchensk": (50.2720, 127.5400),
    "Zabaikalsk": (49.6520, 117.3260),
    "Zamyn-Uud": (43.7190, 111.9010),
    "Ulaanbaatar": (47.9210, 106.9180),
    "Dostyk": (45.2530, 82.4810),
    "Zharkent": (44.1630, 80.0000),
    "Almaty": (43.2380, 76.9450),
    "Osh": (40.5140, 72.8160),
    "Sost": (36.6920, 74.8220),
    "Kodari": (27.9720, 85.9620),
    "Kathmandu": (27.7172, 85.3240),
    "Gangtok": (27.3310, 88.6130),
    "Muse": (23.9880, 97.9020),
    "Lao Cai": (22.4830, 103.9720),
    "Dong Dang": (21.9430, 106.6950),
    "Mong Cai": (21.5240, 107.9660),
    "Hanoi": (21.0278, 105.8342),
    "Vientiane": (17.9757, 102.6331),
    "Seoul": (37.5665, 126.9780),
    "Tokyo": (35.6762, 139.6503),
}


@pytest.mark.parametrize("name", INSIDE)
def test_maps_are_shifted_in(name: str) -> None:
    assert in_mainland(*INSIDE[name])


@pytest.mark.parametrize("name", OUTSIDE)
def test_maps_are_not_shifted_in(name: str) -> None:
    assert not in_mainland(*OUTSIDE[name])


@given(
    places=st.lists(
        st.tuples(st.floats(-90, 90) | st.floats(17, 54), st.floats(70, 136)), max_size=50
    )
)
def test_many_places_at_once_are_judged_as_each_alone(places: list[tuple[float, float]]) -> None:
    lat, lon = np.array([*zip(*places, strict=True)]) if places else np.empty((2, 0))
    assert list(all_in_mainland(lat, lon)) == [in_mainland(*place) for place in places]


def test_what_is_no_number_is_nowhere() -> None:
    nan, infinite = float("nan"), float("inf")
    assert not any(in_mainland(*place) for place in [(nan, 110), (30, nan), (infinite, 110)])
