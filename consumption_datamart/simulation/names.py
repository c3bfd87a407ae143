"""Invented company and product names: as many different ones as asked for."""


def _words(text: str) -> list[str]:
    return text.split()


_STARTS = _words(
    "Alder Ambrin Arken Balver Brando Brisk Calyx Carno Corvin Dalmer Delvo Dorvik Elstra Embro "
    "Fenno Ferris Galdo Garren Halvo Harwin Istra Jorven Kelmar Kestrin Lanvo Lormer Marvo Melden "
    "Norvel Nymbra Olven Ostrel Parvo Pelmar Quorvan Rendal Rostel Salvor Selmer Tarnwi Telvor "
    "Tormal Ulvar Velmor Verrin Wendra Wolmar Zelvin"
)
_ENDS = _words(
    "a ale ance andra ane ara ard aris ast avo ax ea ek elle en enda ent era erra esk estra eth "
    "ex ia ica iel ien ika ila ille ima ine ion ira is ista ith iva ix o ora orix oss una ura us "
    "yn yra"
)
_TRADES = _words(
    "Aerospace Analytics Aviation Bank Biotech Breweries Broadcasting Ceramics Chemicals Clinics "
    "Components Dairy Electronics Energy Farms Films Foods Forestry Freight Furniture Games Glass "
    "Hospitality Insurance Instruments Laboratories Logistics Machinery Maritime Media Mining "
    "Motors Optics Paper Pharma Plastics Printing Properties Publishing Railways Retail Robotics "
    "Shipping Software Steel Telecom Textiles Utilities"
)
_STEMS = _words(
    "Beacon Harbor Lantern Summit Meadow Ember Willow Granite Prairie Cascade Juniper Cobalt "
    "Orchard Falcon Tundra Marble Saffron Quarry Lagoon Thistle"
)
_STRIDE = 60_013  # shares no factor with the number of names, so that neighbours look unalike


def company_names(count: int) -> list[str]:
    """That many different names: the same ones first, however many are asked for."""
    names = []
    for number in range(count):
        turn, mixed = divmod(number, len(_STARTS) * len(_ENDS) * len(_TRADES))
        mixed = (mixed + 7) * _STRIDE % (len(_STARTS) * len(_ENDS) * len(_TRADES))
        mixed, start = divmod(mixed, len(_STARTS))
        trade, end = divmod(mixed, len(_ENDS))
        name = f"{_STARTS[start]}{_ENDS[end]} {_TRADES[trade]}"
        names.append(f"{name} {turn + 1}" if turn else name)
    return names


def renamed(name: str) -> str:
    """What a company of this name is called after it changed its name: nobody else's name."""
    start, trade = name.split(maxsplit=1)
    return f"{start} & Partners, {trade}"


def product_names(nouns: list[str]) -> list[str]:
    """A different name for each product, ending in what it is."""
    names = []
    for number, noun in enumerate(nouns):
        turn, stem = divmod(number, len(_STEMS))
        names.append(f"{_STEMS[stem]} {noun} {turn + 1}" if turn else f"{_STEMS[stem]} {noun}")
    return names
