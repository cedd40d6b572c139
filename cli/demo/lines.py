# ruff: noqa: E501 (a table reads best with a row a line)
"""The demo brand's product lines, as a buyer would write them down: shades, sizes, prices, weights, shelf life."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Size:
    """`label` as printed; prices are US cents before tax and euro cents with tax."""

    label: str
    number: int
    usd: int
    eur: int
    grams: int
    box: tuple[int, int, int]  # length, width, height in mm, in its own carton


@dataclass(frozen=True, slots=True)
class Line:
    """One product: its shades in one size, or its sizes. `shelf_months` None: it does not expire."""

    code: str  # of its SKUs: LIP-VEL
    category: str
    title: str
    description: str
    sizes: tuple[Size, ...]
    shades: tuple[str, ...] = ()
    shelf_months: int | None = 36
    hazmat: bool = False


@dataclass(frozen=True, slots=True)
class Set:
    """A bundle; its pieces are SKUs without the brand's prefix, and how many."""

    code: str
    title: str
    description: str
    usd: int
    eur: int
    pieces: tuple[tuple[str, int], ...]


def _shaded(label: str, usd: int, eur: int, grams: int, box: tuple[int, int, int]) -> tuple[Size, ...]:
    return (Size(label, 0, usd, eur, grams, box),)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


_STICK, _TUBE, _PAN, _PEN, _BOTTLE = (22, 22, 82), (28, 28, 110), (75, 75, 18), (14, 14, 145), (36, 36, 78)

_NUDES = _names(
    "Porcelain, Ivory, Shell, Linen, Oat, Sand, Almond, Honey, Amber, Caramel, Chestnut, Walnut, Cocoa, Mocha, Espresso, Ebony"
)

# fmt: off
LIPS: Final = (
    Line("LIP-VEL", "lipstick", "Velvet Lipstick", "Soft-matte colour that stays comfortable from the first coffee to the last train.",
         _shaded("3.5 g", 2800, 2990, 24, _STICK),
         _names("Bare Silk, Fig Leaf, Rosewood, Dusk, Terracotta, Brick Lane, Poppy, Carmine, Garnet, Bordeaux, Black Cherry, Mercer Rouge")),
    Line("LIP-SAT", "lipstick", "Satin Lipstick", "Creamy colour with a low sheen and squalane from olives.",
         _shaded("3.5 g", 2600, 2790, 24, _STICK),
         _names("Petal, Blush Linen, Peony, Coral Reef, Tulip, Cranberry, Mulberry, Cinnamon, Maple, Plum Wine")),
    Line("LIP-MAT", "lipstick", "Ink Matte Liquid Lipstick", "One coat, twelve hours, no trace on the glass.",
         _shaded("5 ml", 2400, 2590, 28, _TUBE),
         _names("Parchment, Rosehip, Brickdust, Signal Red, Oxblood, Aubergine, Mahogany, Noir")),
    Line("LIP-GLO", "lip-gloss", "Glass Veil Lip Gloss", "High shine without the stick, tinted like stained glass.",
         _shaded("6 ml", 2200, 2390, 26, _TUBE),
         _names("Clear, Rose Quartz, Peach Fizz, Strawberry, Lychee, Bronze Light, Berry Ice, Opal")),
    Line("LIP-LIN", "lip-liner", "Contour Lip Liner", "A firm point that stays where it was drawn.",
         _shaded("1.2 g", 1800, 1990, 9, _PEN),
         _names("Nude, Rose, Mauve, Brick, Red, Wine, Cocoa, Plum")),
    Line("LIP-BAL", "lip-care", "Tinted Lip Balm SPF 15", "Care first, colour second, with mineral sun protection.",
         _shaded("4 g", 1600, 1790, 20, _STICK), _names("Bare, Rosebud, Coral, Cherry, Fig, Cocoa"), shelf_months=24),
)
FACE: Final = (
    Line("FAC-FOU", "foundation", "Second Skin Foundation", "Medium cover that moves with the face, in sixteen undertone-true shades.",
         _shaded("30 ml", 4200, 4490, 96, _BOTTLE), _NUDES, shelf_months=30),
    Line("FAC-CON", "concealer", "Serum Concealer", "Covers like paint and wears like a serum, with caffeine.",
         _shaded("7 ml", 2900, 3190, 30, _TUBE), _NUDES[::2] + _names("Peach Correct, Green Correct"), shelf_months=30),
    Line("FAC-POW", "powder", "Cloud Setting Powder", "Milled so fine that it blurs and leaves no cast.",
         _shaded("12 g", 3400, 3690, 58, _PAN), _names("Translucent, Fair, Medium, Deep")),
    Line("FAC-BLU", "blush", "Cream Blush", "Melts in with a fingertip.",
         _shaded("5 g", 2700, 2890, 42, _PAN), _names("Petal, Apricot, Rosewater, Coral, Berry, Fig, Terracotta, Mauve")),
    Line("FAC-BRO", "bronzer", "Sunlit Bronzer", "Warmth without shimmer or orange.",
         _shaded("9 g", 3300, 3490, 60, _PAN), _names("Fair, Light, Medium, Deep")),
    Line("FAC-HIG", "highlighter", "Halo Highlighter", "A wet-look gleam, pressed from pearl powder.",
         _shaded("6 g", 3200, 3390, 50, _PAN), _names("Moonstone, Champagne, Rose Gold, Bronze")),
    Line("FAC-PRI", "primer", "Smooth Start Primer", "Holds make-up in place and pores out of sight.",
         (Size("15 ml", 15, 1900, 2090, 34, _TUBE), Size("30 ml", 30, 3100, 3290, 62, _TUBE)), shelf_months=30),
    Line("FAC-MIS", "setting-spray", "Dew Setting Mist", "A pump of rosewater that sets without drying.",
         (Size("50 ml", 50, 1800, 1990, 78, (34, 34, 120)), Size("100 ml", 100, 2900, 3090, 138, (40, 40, 150))), shelf_months=24),
)
EYES: Final = (
    Line("EYE-LIF", "mascara", "Lift Mascara", "A curved brush that lifts every lash from the root.",
         _shaded("9 ml", 2700, 2890, 31, _TUBE), _names("Black, Brown, Midnight Blue, Plum"), shelf_months=24),
    Line("EYE-VOL", "mascara", "Grand Volume Mascara", "Dense, buildable black that comes off with warm water.",
         _shaded("10 ml", 2800, 2990, 33, _TUBE), _names("Black, Waterproof Black, Brown"), shelf_months=24),
    Line("EYE-PEN", "eyeliner", "Kohl Eye Pencil", "Smudges for thirty seconds, then stays.",
         _shaded("1.2 g", 1900, 2090, 9, _PEN), _names("Black, Espresso, Slate, Navy, Forest, Plum, Copper, Ivory")),
    Line("EYE-LIQ", "eyeliner", "Fine Line Liquid Liner", "A brush tip of a tenth of a millimetre.",
         _shaded("1 ml", 2300, 2490, 12, _PEN), _names("Black, Brown, Ink Blue"), shelf_months=24),
    Line("EYE-QUA", "eyeshadow", "Shadow Quad", "Four shades that were made for each other.",
         _shaded("6 g", 4400, 4690, 64, _PAN), _names("Dune, Rosewood, Smoke, Forest Floor, Orchard, Copper Mine, Midnight, Lakeshore")),
    Line("EYE-STI", "eyeshadow", "Cream Shadow Stick", "Swipe, blend, and it is there until evening.",
         _shaded("1.5 g", 2500, 2690, 14, _PEN), _names("Champagne, Taupe, Rose, Bronze, Copper, Moss, Steel, Plum, Espresso, Onyx")),
    Line("EYE-GEL", "brows", "Feather Brow Gel", "Tinted fibres that hold without crunch.",
         _shaded("6 ml", 2200, 2390, 24, _TUBE), _names("Clear, Blonde, Auburn, Brown, Black"), shelf_months=24),
    Line("EYE-BRO", "brows", "Micro Brow Pencil", "Draws a hair, not a line.",
         _shaded("0.1 g", 2100, 2290, 8, _PEN), _names("Blonde, Taupe, Auburn, Brown, Black")),
)
NAILS: Final = (
    Line("NAI-LAC", "nail-polish", "Nail Lacquer", "Ten-free colour with a brush that fits the nail.",
         _shaded("11 ml", 1600, 1790, 62, (34, 34, 72)),
         _names("Milk, Ballet, Rose Clay, Latte, Peach, Coral, Poppy, Signal Red, Cherry, Garnet, Bordeaux, Fig, Lilac, Iris, Sky, Petrol, Navy, Sage, Moss, Taupe, Cocoa, Slate, Graphite, Black"), hazmat=True),
    Line("NAI-GEL", "nail-polish", "Gel Shine Lacquer", "Salon gloss for nine days, no lamp.",
         _shaded("11 ml", 1900, 2090, 64, (34, 34, 72)),
         _names("Porcelain, Nude, Rose, Brick, Red, Wine, Berry, Plum, Mauve, Ink, Emerald, Espresso"), hazmat=True),
    Line("NAI-COA", "nail-care", "Base and Top Coat", "Grip below, gloss above.",
         _shaded("11 ml", 1500, 1690, 60, (34, 34, 72)), _names("Base, Gloss Top, Matte Top"), hazmat=True),
    Line("NAI-REM", "nail-care", "Gentle Polish Remover", "Without acetone, with apricot oil.",
         (Size("75 ml", 75, 900, 990, 98, (40, 40, 115)), Size("150 ml", 150, 1400, 1590, 178, (48, 48, 140))), hazmat=True),
)
_FLACON = (Size("10 ml", 10, 3200, 3490, 62, (30, 30, 110)), Size("50 ml", 50, 9800, 10500, 236, (62, 42, 118)), Size("100 ml", 100, 14500, 15500, 388, (74, 48, 138)))
FRAGRANCE: Final = (
    Line("FRA-FIG", "perfume", "Figuier Eau de Parfum", "Green fig, milk wood, a warm wall in August.", _FLACON, shelf_months=60, hazmat=True),
    Line("FRA-IRI", "perfume", "Iris Nacre Eau de Parfum", "Cool iris over suede and rice powder.", _FLACON, shelf_months=60, hazmat=True),
    Line("FRA-SEL", "perfume", "Sel de Mer Eau de Parfum", "Salt, driftwood, grapefruit peel.", _FLACON, shelf_months=60, hazmat=True),
    Line("FRA-NUI", "perfume", "Nuit Ambrée Eau de Parfum", "Amber, tonka, smoke from another room.", _FLACON, shelf_months=60, hazmat=True),
)
SKIN: Final = (
    Line("SKN-CLE", "cleanser", "Gentle Gel Cleanser", "Takes off the day and leaves the barrier.",
         (Size("50 ml", 50, 1400, 1590, 70, (40, 40, 120)), Size("150 ml", 150, 2800, 2990, 186, (50, 50, 165))), shelf_months=30),
    Line("SKN-TON", "toner", "Balancing Toner", "Lactic acid at five per cent, for evenings.",
         (Size("100 ml", 100, 2200, 2390, 134, (42, 42, 140)), Size("200 ml", 200, 3600, 3890, 248, (52, 52, 170))), shelf_months=30),
    Line("SKN-SER", "serum", "Deep Hydration Serum", "Three weights of hyaluronic acid, and patience.",
         (Size("15 ml", 15, 2900, 3190, 52, _BOTTLE), Size("30 ml", 30, 4800, 5190, 92, _BOTTLE), Size("100 ml refill", 100, 11900, 12900, 128, (60, 30, 150))), shelf_months=30),
    Line("SKN-VIC", "serum", "Vitamin C Serum 15%", "Fresh in small bottles, because it does not keep.",
         (Size("15 ml", 15, 3800, 4190, 54, _BOTTLE), Size("30 ml", 30, 6200, 6690, 94, _BOTTLE)), shelf_months=18),
    Line("SKN-DAY", "moisturizer", "Day Cream SPF 30", "Light, sheer, no white cast.",
         (Size("30 ml", 30, 3400, 3690, 88, (54, 54, 50)), Size("50 ml", 50, 4900, 5290, 128, (62, 62, 58))), shelf_months=24),
    Line("SKN-NIG", "moisturizer", "Night Repair Cream", "Ceramides and peptides for the hours nobody sees.",
         (Size("30 ml", 30, 3900, 4190, 90, (54, 54, 50)), Size("50 ml", 50, 5600, 5990, 130, (62, 62, 58))), shelf_months=30),
    Line("SKN-EYE", "eye-care", "Bright Eye Cream", "Caffeine and niacinamide for short nights.", (Size("15 ml", 15, 4200, 4490, 48, (40, 40, 48)),), shelf_months=30),
    Line("SKN-OIL", "face-oil", "Rosehip Face Oil", "Cold-pressed and nothing else.", (Size("30 ml", 30, 4400, 4690, 94, _BOTTLE),), shelf_months=24),
    Line("SKN-MAS", "mask", "Pink Clay Mask", "Ten minutes, once a week.", (Size("75 ml", 75, 3200, 3490, 140, (70, 70, 55)),)),
    Line("SKN-SUN", "sun-care", "Invisible Sun Fluid SPF 50", "The step that matters most.", (Size("40 ml", 40, 3600, 3890, 62, (36, 24, 130)),), shelf_months=24),
    Line("SKN-MIC", "cleanser", "Micellar Water", "Make-up off, no rubbing.",
         (Size("100 ml", 100, 1200, 1390, 128, (42, 42, 140)), Size("400 ml", 400, 2600, 2790, 452, (66, 66, 200)))),
    Line("SKN-BLM", "cleanser", "Melting Cleansing Balm", "Turns to oil, rinses to milk.", (Size("90 ml", 90, 3400, 3690, 150, (72, 72, 62)),)),
    Line("BOD-HAN", "hand-care", "Hand Cream", "Absorbed before the phone rings.",
         (Size("30 ml", 30, 1200, 1390, 40, (30, 24, 115)), Size("75 ml", 75, 2200, 2390, 90, (42, 34, 150)))),
    Line("BOD-LOT", "body-care", "Body Lotion", "Oat, shea, and a trace of fig.",
         (Size("200 ml", 200, 2600, 2790, 238, (56, 56, 180)), Size("400 ml", 400, 4200, 4490, 446, (68, 68, 215)))),
)
TOOLS: Final = (
    Line("TOO-BRU", "brushes", "Studio Brush", "Cruelty-free fibre on a birch handle.",
         _shaded("one brush", 2400, 2590, 22, (30, 20, 180)), _names("Foundation, Powder, Blush, Eye Blender, Liner, Brow"), shelf_months=None),
)
LINES: Final = (*LIPS, *FACE, *EYES, *NAILS, *FRAGRANCE, *SKIN, *TOOLS)

SETS: Final = (
    Set("SET-DUO", "Velvet Lip Duo", "Rosewood and the liner that was made for it.", 3900, 4190, (("LIP-VEL-003", 1), ("LIP-LIN-002", 1))),
    Set("SET-NAI", "Manicure Trio", "Base, colour, gloss.", 3900, 4290, (("NAI-COA-001", 1), ("NAI-LAC-008", 1), ("NAI-COA-002", 1))),
    Set("SET-HYD", "Hydration Ritual", "Cleanse, soak, seal: four weeks of it.", 8900, 9590, (("SKN-CLE-050", 1), ("SKN-SER-030", 1), ("SKN-DAY-030", 1))),
    Set("SET-EYE", "Evening Eyes", "Smoke, kohl and lift.", 7700, 8190, (("EYE-QUA-003", 1), ("EYE-PEN-001", 1), ("EYE-LIF-001", 1))),
    Set("SET-PAR", "Perfume Discovery", "All four, ten millilitres each.", 10900, 11900, (("FRA-FIG-010", 1), ("FRA-IRI-010", 1), ("FRA-SEL-010", 1), ("FRA-NUI-010", 1))),
    Set("SET-GFT", "Two Hand Creams", "One to give, one to keep.", 3900, 4190, (("BOD-HAN-075", 2),)),
)
# fmt: on
