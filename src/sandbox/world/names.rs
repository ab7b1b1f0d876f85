//! What made-up companies are called and where they sit.

/// What the companies of one database are made of.
pub struct Country {
    /// The database's code, which every `business_id` begins with.
    pub code: &'static str,
    /// Digits of a `business_id` after the code.
    pub digits: u32,
    pub stems: &'static [&'static str],
    pub branches: &'static [&'static str],
    pub forms: &'static [LegalForm],
    pub streets: &'static [&'static str],
    pub places: &'static [Place],
    pub first_names: &'static [&'static str],
    pub last_names: &'static [&'static str],
    pub domain: &'static str,
    pub dialling: &'static str,
    pub currency: &'static str,
}

pub struct LegalForm {
    pub suffix: &'static str,
    pub name: &'static str,
}

/// A city with its longitude and latitude in degrees.
#[derive(Clone, Copy)]
pub struct Place {
    pub city: &'static str,
    pub at: [f64; 2],
}

/// An industry in the three languages that the API answers in.
pub struct Industry {
    pub code: &'static str,
    pub en: &'static str,
    pub fi: &'static str,
    pub sv: &'static str,
}

const fn form(suffix: &'static str, name: &'static str) -> LegalForm {
    LegalForm { suffix, name }
}

const fn place(city: &'static str, longitude: f64, latitude: f64) -> Place {
    Place { city, at: [longitude, latitude] }
}

const fn industry(code: &'static str, en: &'static str, fi: &'static str, sv: &'static str) -> Industry {
    Industry { code, en, fi, sv }
}

/// The country of a database's code.
pub fn country(code: &str) -> Option<&'static Country> {
    COUNTRIES.iter().find(|country| country.code == code)
}

static COUNTRIES: [Country; 5] = [
    Country {
        code: "FI",
        digits: 8,
        stems: &[
            "Koivu", "Järvi", "Lumi", "Kataja", "Halla", "Sisu", "Pohja", "Kuura", "Tähti", "Vuono", "Saari",
        ],
        branches: &[
            "data",
            "metalli",
            "rakennus",
            "logistiikka",
            "ohjelmistot",
            "sähkö",
            "puu",
            "kone",
            "laskenta",
        ],
        forms: &[
            form("Oy", "Osakeyhtiö"),
            form("Oyj", "Julkinen osakeyhtiö"),
            form("Ky", "Kommandiittiyhtiö"),
        ],
        streets: &[
            "Mannerheimintie",
            "Hämeenkatu",
            "Aleksanterinkatu",
            "Satamatie",
            "Kauppakatu",
            "Teollisuustie",
        ],
        places: &[
            place("Helsinki", 24.94, 60.17),
            place("Espoo", 24.65, 60.2),
            place("Tampere", 23.76, 61.5),
            place("Oulu", 25.47, 65.01),
            place("Jyväskylä", 25.75, 62.24),
        ],
        first_names: &["Aino", "Eero", "Helmi", "Väinö", "Satu", "Jukka"],
        last_names: &["Virtanen", "Mäkelä", "Korhonen", "Hämäläinen", "Nieminen"],
        domain: "fi",
        dialling: "+358",
        currency: "EUR",
    },
    Country {
        code: "SE",
        digits: 10,
        stems: &["Björk", "Norr", "Älv", "Gran", "Sjö", "Berg", "Lind", "Väst", "Ljung", "Sten", "Åker"],
        branches: &["data", "stål", "bygg", "transport", "mjukvara", "el", "trä", "maskin", "redovisning"],
        forms: &[form("AB", "Aktiebolag"), form("HB", "Handelsbolag"), form("KB", "Kommanditbolag")],
        streets: &[
            "Drottninggatan",
            "Storgatan",
            "Kungsgatan",
            "Hamngatan",
            "Industrivägen",
            "Järnvägsgatan",
        ],
        places: &[
            place("Stockholm", 18.07, 59.33),
            place("Göteborg", 11.97, 57.71),
            place("Malmö", 13.0, 55.6),
            place("Uppsala", 17.634_966, 59.853_642),
            place("Umeå", 20.26, 63.83),
        ],
        first_names: &["Astrid", "Björn", "Elsa", "Gösta", "Maja", "Åke"],
        last_names: &["Andersson", "Sjöberg", "Lindqvist", "Åström", "Bergman"],
        domain: "se",
        dialling: "+46",
        currency: "SEK",
    },
    Country {
        code: "NO",
        digits: 9,
        stems: &["Fjord", "Nord", "Bjørk", "Hav", "Fjell", "Sol", "Øy", "Vest", "Gran", "Isbre", "Dal"],
        branches: &["data", "stål", "bygg", "frakt", "programvare", "elektro", "tre", "maskin", "regnskap"],
        forms: &[
            form("AS", "Aksjeselskap"),
            form("ASA", "Allmennaksjeselskap"),
            form("ANS", "Ansvarlig selskap"),
        ],
        streets: &["Karl Johans gate", "Storgata", "Kirkegata", "Havnegata", "Industriveien", "Sjøgata"],
        places: &[
            place("Oslo", 10.75, 59.91),
            place("Bergen", 5.32, 60.39),
            place("Trondheim", 10.4, 63.43),
            place("Tromsø", 18.96, 69.65),
            place("Stavanger", 5.73, 58.97),
        ],
        first_names: &["Ingrid", "Håkon", "Solveig", "Odd", "Kari", "Øystein"],
        last_names: &["Hansen", "Bjørnstad", "Dahl", "Haugen", "Sørensen"],
        domain: "no",
        dialling: "+47",
        currency: "NOK",
    },
    Country {
        code: "DK",
        digits: 8,
        stems: &["Bøge", "Hav", "Sø", "Nord", "Lys", "Ege", "Vester", "Klit", "Ager", "Strand", "Vind"],
        branches: &["data", "stål", "byg", "fragt", "software", "el", "træ", "maskin", "revision"],
        forms: &[form("A/S", "Aktieselskab"), form("ApS", "Anpartsselskab"), form("I/S", "Interessentskab")],
        streets: &["Strøget", "Algade", "Søndergade", "Havnevej", "Industrivej", "Nørregade"],
        places: &[
            place("København", 12.57, 55.68),
            place("Aarhus", 10.21, 56.16),
            place("Odense", 10.39, 55.4),
            place("Aalborg", 9.92, 57.05),
            place("Esbjerg", 8.45, 55.47),
        ],
        first_names: &["Karen", "Søren", "Mette", "Jørgen", "Kirsten", "Rasmus"],
        last_names: &["Jensen", "Møller", "Kjær", "Østergaard", "Holm"],
        domain: "dk",
        dialling: "+45",
        currency: "DKK",
    },
    Country {
        code: "NL",
        digits: 8,
        stems: &[
            "Linde", "Zee", "Noord", "Duin", "Molen", "Polder", "Wilgen", "Haven", "Heide", "Tulp", "Berken",
        ],
        branches: &[
            "data",
            "staal",
            "bouw",
            "transport",
            "software",
            "elektra",
            "hout",
            "machines",
            "advies",
        ],
        forms: &[form("B.V.", "Besloten vennootschap"), form("N.V.", "Naamloze vennootschap")],
        streets: &["Damrak", "Hoofdstraat", "Kerkstraat", "Havenweg", "Industrieweg", "Coolsingel"],
        places: &[
            place("Amsterdam", 4.9, 52.37),
            place("Rotterdam", 4.48, 51.92),
            place("Utrecht", 5.12, 52.09),
            place("Eindhoven", 5.48, 51.44),
            place("Groningen", 6.57, 53.22),
        ],
        first_names: &["Anneke", "Daan", "Femke", "Sjoerd", "Lotte", "Thijs"],
        last_names: &["de Vries", "Jansen", "van Dijk", "Bakker", "Visser"],
        domain: "nl",
        dialling: "+31",
        currency: "EUR",
    },
];

pub static INDUSTRIES: [Industry; 8] = [
    industry("62010", "Computer programming", "Ohjelmistojen suunnittelu ja valmistus", "Dataprogrammering"),
    industry("25620", "Machining", "Metallituotteiden työstö", "Metallbearbetning"),
    industry(
        "41200",
        "Construction of buildings",
        "Asuin- ja muiden rakennusten rakentaminen",
        "Byggande av hus",
    ),
    industry(
        "49410",
        "Freight transport by road",
        "Tieliikenteen tavarankuljetus",
        "Vägtransport, godstrafik",
    ),
    industry("43210", "Electrical installation", "Sähköasennus", "Elinstallation"),
    industry(
        "16100",
        "Sawmilling and planing of wood",
        "Puun sahaus ja höyläys",
        "Sågning och hyvling av trä",
    ),
    industry(
        "69201",
        "Accounting and bookkeeping",
        "Kirjanpito- ja tilinpäätöspalvelu",
        "Redovisning och bokföring",
    ),
    industry(
        "46900",
        "Non-specialised wholesale trade",
        "Yleistukkukauppa",
        "Icke specialiserad partihandel",
    ),
];

pub static TECHNOLOGIES: [(&str, &str); 8] = [
    ("shopify", "E-commerce"),
    ("wordpress", "Content management"),
    ("google analytics", "Analytics"),
    ("hubspot", "Marketing automation"),
    ("cloudflare", "Content delivery"),
    ("microsoft 365", "Email hosting"),
    ("klaviyo", "Email marketing"),
    ("woocommerce", "E-commerce"),
];

pub static MAKES: [&str; 6] = ["SKODA", "VOLVO", "TOYOTA", "FORD", "MERCEDES-BENZ", "SCANIA"];

/// A title with the functional area that it is classified under.
pub static TITLES: [(&str, &str); 6] = [
    ("Chief Executive Officer", "CEO"),
    ("Chief Financial Officer", "Finance"),
    ("Privacy Officer", "Legal"),
    ("Head of Sales", "Sales"),
    ("Chief Technology Officer", "IT"),
    ("Marketing Manager", "Marketing"),
];
