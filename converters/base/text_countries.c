/*
 * text_countries.c - codes and names of countries. Codes are ISO 3166-1 and
 * XK. Names are kept as text_fold() makes them, in Czech, Slovak, Turkish,
 * Hungarian, Romanian, English and German for countries that our shops trade
 * with, in English for the others.
 */
#include "converters/base/text.h"

static const struct country {
    char alpha2[3], alpha3[4];
    const char *names; /* separated by | */
} countries[] = {
    { "AD", "AND", "andorra" },
    { "AE", "ARE",
      "spojene arabske emiraty|birlesik arap emirlikleri|egyesult arab "
      "emirsegek|emiratele arabe unite|united arab emirates|vereinigte "
      "arabische emirate|uae" },
    { "AF", "AFG", "afghanistan|afganistan|afganisztan" },
    { "AG", "ATG", "antigua and barbuda" },
    { "AI", "AIA", "anguilla" },
    { "AL", "ALB", "albanie|albansko|arnavutluk|albania|albanien" },
    { "AM", "ARM",
      "armenie|armensko|ermenistan|ormenyorszag|armenia|armenien" },
    { "AO", "AGO", "angola" },
    { "AQ", "ATA", "antarctica" },
    { "AR", "ARG", "argentina|arjantin|argentinien" },
    { "AS", "ASM", "american samoa" },
    { "AT", "AUT",
      "rakousko|rakusko|avusturya|ausztria|austria|osterreich|oesterreich" },
    { "AU", "AUS", "australie|australia|avustralya|ausztralia|australien" },
    { "AW", "ABW", "aruba" },
    { "AX", "ALA", "aland islands|aland" },
    { "AZ", "AZE",
      "azerbajdzan|azerbaycan|azerbajdzsan|azerbaidjan|azerbaijan|"
      "aserbaidschan" },
    { "BA", "BIH",
      "bosna a hercegovina|bosna hersek|bosznia hercegovina|bosnia si "
      "hertegovina|bosnia and herzegovina|bosnia herzegovina|bosnien und "
      "herzegowina|bosnia" },
    { "BB", "BRB", "barbados" },
    { "BD", "BGD", "banglades|bangladesh|bangladesch" },
    { "BE", "BEL", "belgie|belgicko|belcika|belgium|belgia|belgien|belgique" },
    { "BF", "BFA", "burkina faso" },
    { "BG", "BGR", "bulharsko|bulgaristan|bulgaria|bulgarien" },
    { "BH", "BHR", "bahrain|bahreyn" },
    { "BI", "BDI", "burundi" },
    { "BJ", "BEN", "benin" },
    { "BL", "BLM", "saint barthelemy" },
    { "BM", "BMU", "bermuda" },
    { "BN", "BRN", "brunei|brunei darussalam" },
    { "BO", "BOL", "bolivie|bolivia" },
    { "BQ", "BES", "bonaire sint eustatius and saba|bonaire" },
    { "BR", "BRA", "brazilie|brazilia|brezilya|brazil|brasilien|brasil" },
    { "BS", "BHS", "bahamas|the bahamas" },
    { "BT", "BTN", "bhutan" },
    { "BV", "BVT", "bouvet island" },
    { "BW", "BWA", "botswana" },
    { "BY", "BLR",
      "belorusko|bielorusko|beyaz "
      "rusya|belarus|feheroroszorszag|belarusz|weissrussland" },
    { "BZ", "BLZ", "belize" },
    { "CA", "CAN", "kanada|canada" },
    { "CC", "CCK", "cocos islands|cocos keeling islands" },
    { "CD", "COD", "democratic republic of the congo|dr congo" },
    { "CF", "CAF", "central african republic" },
    { "CG", "COG", "congo|republic of the congo" },
    { "CH", "CHE",
      "svycarsko|svajciarsko|isvicre|svajc|elvetia|switzerland|schweiz|suisse|"
      "svizzera" },
    { "CI", "CIV", "cote d ivoire|ivory coast" },
    { "CK", "COK", "cook islands" },
    { "CL", "CHL", "chile|cile|sili" },
    { "CM", "CMR", "cameroon" },
    { "CN", "CHN", "cina|cin|kina|china|people s republic of china|prc" },
    { "CO", "COL", "kolumbie|kolumbia|kolombiya|columbia|colombia|kolumbien" },
    { "CR", "CRI", "costa rica|kostarika" },
    { "CU", "CUB", "kuba|cuba" },
    { "CV", "CPV", "cabo verde|cape verde" },
    { "CW", "CUW", "curacao" },
    { "CX", "CXR", "christmas island" },
    { "CY", "CYP", "kypr|cyprus|kibris|guney kibris|ciprus|cipru|zypern" },
    { "CZ", "CZE",
      "ceska republika|cesko|cr|ceska rep|cek "
      "cumhuriyeti|cekya|csehorszag|cseh koztarsasag|republica "
      "ceha|cehia|czech republic|czechia|czech rep|tschechien|tschechische "
      "republik|czechy|czech" },
    { "DE", "DEU",
      "nemecko|srn|spolkova republika "
      "nemecko|almanya|nemetorszag|germania|germany|deutschland|bundesrepublik "
      "deutschland|brd|niemcy" },
    { "DJ", "DJI", "djibouti" },
    { "DK", "DNK",
      "dansko|danimarka|dania|danemarca|denmark|danemark|danmark" },
    { "DM", "DMA", "dominica" },
    { "DO", "DOM", "dominican republic" },
    { "DZ", "DZA", "alzirsko|cezayir|algeria|algerien" },
    { "EC", "ECU", "ecuador|ekvador" },
    { "EE", "EST", "estonsko|estonya|esztorszag|estonia|estland|eesti" },
    { "EG", "EGY", "egypt|misir|egyiptom|egipt|agypten" },
    { "EH", "ESH", "western sahara" },
    { "ER", "ERI", "eritrea" },
    { "ES", "ESP",
      "spanelsko|spanielsko|ispanya|spanyolorszag|spania|spain|spanien|"
      "espana" },
    { "ET", "ETH", "ethiopia" },
    { "FI", "FIN",
      "finsko|finlandiya|finnorszag|finlanda|finland|finnland|suomi" },
    { "FJ", "FJI", "fiji" },
    { "FK", "FLK", "falkland islands" },
    { "FM", "FSM", "micronesia" },
    { "FO", "FRO", "faroe islands|faerske ostrovy" },
    { "FR", "FRA",
      "francie|francuzsko|fransa|franciaorszag|franta|france|frankreich" },
    { "GA", "GAB", "gabon" },
    { "GB", "GBR",
      "velka britanie|velka britania|spojene kralovstvi|spojene "
      "kralovstvo|birlesik krallik|ingiltere|buyuk britanya|egyesult "
      "kiralysag|nagy britannia|anglia|regatul unit|marea britanie|united "
      "kingdom|great britain|uk|u k|england|scotland|wales|vereinigtes "
      "konigreich|grossbritannien|anglie|anglicko" },
    { "GD", "GRD", "grenada" },
    { "GE", "GEO", "gruzie|gruzinsko|gurcistan|gruzia|georgia|georgien" },
    { "GF", "GUF", "french guiana" },
    { "GG", "GGY", "guernsey" },
    { "GH", "GHA", "ghana" },
    { "GI", "GIB", "gibraltar" },
    { "GL", "GRL", "greenland|gronsko" },
    { "GM", "GMB", "gambia|the gambia" },
    { "GN", "GIN", "guinea" },
    { "GP", "GLP", "guadeloupe" },
    { "GQ", "GNQ", "equatorial guinea" },
    { "GR", "GRC",
      "recko|grecko|yunanistan|gorogorszag|grecia|greece|griechenland|hellas|"
      "el" },
    { "GS", "SGS", "south georgia and the south sandwich islands" },
    { "GT", "GTM", "guatemala" },
    { "GU", "GUM", "guam" },
    { "GW", "GNB", "guinea bissau" },
    { "GY", "GUY", "guyana" },
    { "HK", "HKG", "hongkong|hong kong" },
    { "HM", "HMD", "heard island and mcdonald islands" },
    { "HN", "HND", "honduras" },
    { "HR", "HRV",
      "chorvatsko|hirvatistan|horvatorszag|croatia|kroatien|hrvatska" },
    { "HT", "HTI", "haiti" },
    { "HU", "HUN", "madarsko|macaristan|magyarorszag|ungaria|hungary|ungarn" },
    { "ID", "IDN", "indonesie|indonezia|endonezya|indonesia|indonesien" },
    { "IE", "IRL",
      "irsko|irlanda|irorszag|ireland|irland|republic of ireland|eire" },
    { "IL", "ISR", "izrael|israil|israel" },
    { "IM", "IMN", "isle of man" },
    { "IN", "IND", "indie|india|hindistan|indien" },
    { "IO", "IOT", "british indian ocean territory" },
    { "IQ", "IRQ", "irak|iraq" },
    { "IR", "IRN", "iran" },
    { "IS", "ISL", "island|izlanda|izland|islanda|iceland" },
    { "IT", "ITA", "italie|taliansko|italya|olaszorszag|italia|italy|italien" },
    { "JE", "JEY", "jersey" },
    { "JM", "JAM", "jamaica|jamajka" },
    { "JO", "JOR", "jordansko|urdun|jordania|iordania|jordan|jordanien" },
    { "JP", "JPN", "japonsko|japonya|japan|japonia" },
    { "KE", "KEN", "kena|kenya|kenia" },
    { "KG", "KGZ",
      "kyrgyzstan|kirgizsko|kirgizistan|kirgizisztan|kargazstan|kirgisistan" },
    { "KH", "KHM", "cambodia" },
    { "KI", "KIR", "kiribati" },
    { "KM", "COM", "comoros" },
    { "KN", "KNA", "saint kitts and nevis" },
    { "KP", "PRK",
      "severni korea|north korea|democratic people s republic of korea" },
    { "KR", "KOR",
      "jizni korea|juzna korea|korejska republika|guney kore|del korea|coreea "
      "de sud|south korea|republic of korea|sudkorea|korea" },
    { "KW", "KWT", "kuvajt|kuveyt|kuwait" },
    { "KY", "CYM", "cayman islands" },
    { "KZ", "KAZ",
      "kazachstan|kazakistan|kazahsztan|kazahstan|kazakhstan|kasachstan" },
    { "LA", "LAO", "laos" },
    { "LB", "LBN", "libanon|lubnan|liban|lebanon" },
    { "LC", "LCA", "saint lucia" },
    { "LI", "LIE",
      "lichtenstejnsko|lichtenstajnsko|lihtenstayn|liechtenstein" },
    { "LK", "LKA", "sri lanka" },
    { "LR", "LBR", "liberia" },
    { "LS", "LSO", "lesotho" },
    { "LT", "LTU",
      "litva|litvanya|litvania|lituania|lithuania|litauen|lietuva" },
    { "LU", "LUX", "lucembursko|luxembursko|luksemburg|luxemburg|luxembourg" },
    { "LV", "LVA",
      "lotyssko|letonya|lettorszag|letonia|latvia|lettland|latvija" },
    { "LY", "LBY", "libye|libya|libia|libyen" },
    { "MA", "MAR", "maroko|fas|marokko|maroc|morocco" },
    { "MC", "MCO", "monako|monaco" },
    { "MD", "MDA",
      "moldavsko|moldova|republica moldova|republic of "
      "moldova|moldau|moldawien" },
    { "ME", "MNE",
      "cerna hora|cierna hora|karadag|montenegro|muntenegru|crna gora" },
    { "MF", "MAF", "saint martin" },
    { "MG", "MDG", "madagascar" },
    { "MH", "MHL", "marshall islands" },
    { "MK", "MKD",
      "severni makedonie|severne macedonsko|makedonie|macedonsko|kuzey "
      "makedonya|makedonya|eszak macedonia|macedonia de nord|north "
      "macedonia|macedonia|nordmazedonien|mazedonien" },
    { "ML", "MLI", "mali" },
    { "MM", "MMR", "myanmar|burma" },
    { "MN", "MNG", "mongolsko|mogolistan|mongolia|mongolei" },
    { "MO", "MAC", "macao|macau" },
    { "MP", "MNP", "northern mariana islands" },
    { "MQ", "MTQ", "martinique" },
    { "MR", "MRT", "mauritania" },
    { "MS", "MSR", "montserrat" },
    { "MT", "MLT", "malta" },
    { "MU", "MUS", "mauritius" },
    { "MV", "MDV", "maldives|maledivy" },
    { "MW", "MWI", "malawi" },
    { "MX", "MEX", "mexiko|meksika|mexic|mexico" },
    { "MY", "MYS", "malajsie|malajzia|malezya|malaezia|malaysia" },
    { "MZ", "MOZ", "mozambique" },
    { "NA", "NAM", "namibia" },
    { "NC", "NCL", "new caledonia" },
    { "NE", "NER", "niger" },
    { "NF", "NFK", "norfolk island" },
    { "NG", "NGA", "nigerie|nigeria|nijerya" },
    { "NI", "NIC", "nicaragua" },
    { "NL", "NLD",
      "nizozemsko|nizozemi|holandsko|hollanda|hollandia|olanda|tarile de "
      "jos|netherlands|the netherlands|holland|niederlande|nederland" },
    { "NO", "NOR", "norsko|norvec|norvegia|norway|norwegen|norge" },
    { "NP", "NPL", "nepal" },
    { "NR", "NRU", "nauru" },
    { "NU", "NIU", "niue" },
    { "NZ", "NZL",
      "novy zeland|yeni zelanda|uj zeland|noua zeelanda|new "
      "zealand|neuseeland" },
    { "OM", "OMN", "oman|umman" },
    { "PA", "PAN", "panama" },
    { "PE", "PER", "peru" },
    { "PF", "PYF", "french polynesia" },
    { "PG", "PNG", "papua new guinea" },
    { "PH", "PHL",
      "filipiny|filipinler|fulop szigetek|filipine|philippines|philippinen" },
    { "PK", "PAK", "pakistan|pakisztan" },
    { "PL", "POL", "polsko|polonya|lengyelorszag|polonia|poland|polen|polska" },
    { "PM", "SPM", "saint pierre and miquelon" },
    { "PN", "PCN", "pitcairn" },
    { "PR", "PRI", "puerto rico" },
    { "PS", "PSE", "palestine" },
    { "PT", "PRT", "portugalsko|portekiz|portugalia|portugal" },
    { "PW", "PLW", "palau" },
    { "PY", "PRY", "paraguay" },
    { "QA", "QAT", "katar|qatar" },
    { "RE", "REU", "reunion" },
    { "RO", "ROU", "rumunsko|romanya|romania|rumanien" },
    { "RS", "SRB", "srbsko|sirbistan|szerbia|serbia|serbien|srbija" },
    { "RU", "RUS",
      "rusko|ruska federace|rusya|oroszorszag|rusia|federatia "
      "rusa|russia|russian federation|russland" },
    { "RW", "RWA", "rwanda" },
    { "SA", "SAU",
      "saudska arabie|saudska arabia|suudi arabistan|szaud arabia|arabia "
      "saudita|saudi arabia|saudi arabien" },
    { "SB", "SLB", "solomon islands" },
    { "SC", "SYC", "seychelles" },
    { "SD", "SDN", "sudan" },
    { "SE", "SWE", "svedsko|isvec|svedorszag|suedia|sweden|schweden|sverige" },
    { "SG", "SGP", "singapur|szingapur|singapore" },
    { "SH", "SHN", "saint helena" },
    { "SI", "SVN",
      "slovinsko|slovenija|slovinska "
      "republika|slovenya|szlovenia|slovenia|slowenien" },
    { "SJ", "SJM", "svalbard and jan mayen" },
    { "SK", "SVK",
      "slovensko|slovenska republika|slovenska rep|slovakya|szlovakia|szlovak "
      "koztarsasag|slovacia|republica slovaca|slovakia|slovak "
      "republic|slowakei|slowakische republik|slowacja" },
    { "SL", "SLE", "sierra leone" },
    { "SM", "SMR", "san marino" },
    { "SN", "SEN", "senegal" },
    { "SO", "SOM", "somalia" },
    { "SR", "SUR", "suriname" },
    { "SS", "SSD", "south sudan" },
    { "ST", "STP", "sao tome and principe" },
    { "SV", "SLV", "el salvador" },
    { "SX", "SXM", "sint maarten" },
    { "SY", "SYR", "syrie|syria|suriye|sziria|siria|syrien" },
    { "SZ", "SWZ", "eswatini|swaziland" },
    { "TC", "TCA", "turks and caicos islands" },
    { "TD", "TCD", "chad" },
    { "TF", "ATF", "french southern territories" },
    { "TG", "TGO", "togo" },
    { "TH", "THA", "thajsko|tayland|thaifold|thailanda|thailand" },
    { "TJ", "TJK", "tadzikistan|tacikistan|tajikistan" },
    { "TK", "TKL", "tokelau" },
    { "TL", "TLS", "timor leste" },
    { "TM", "TKM", "turkmenistan" },
    { "TN", "TUN", "tunisko|tunus|tunezia|tunisia|tunesien" },
    { "TO", "TON", "tonga" },
    { "TR", "TUR",
      "turecko|turkiye|turkiye cumhuriyeti|torokorszag|turcia|turkey|turkei" },
    { "TT", "TTO", "trinidad and tobago" },
    { "TV", "TUV", "tuvalu" },
    { "TW", "TWN", "tchaj wan|tajwan|taiwan|tayvan|tajvan" },
    { "TZ", "TZA", "tanzania" },
    { "UA", "UKR", "ukrajina|ukrayna|ukrajna|ucraina|ukraine" },
    { "UG", "UGA", "uganda" },
    { "UM", "UMI", "united states minor outlying islands" },
    { "US", "USA",
      "spojene staty|spojene staty americke|amerika birlesik "
      "devletleri|abd|amerika|egyesult allamok|amerikai egyesult "
      "allamok|statele unite|statele unite ale americii|sua|united "
      "states|united states of america|u s a|vereinigte staaten|vereinigte "
      "staaten von amerika" },
    { "UY", "URY", "uruguay" },
    { "UZ", "UZB", "uzbekistan|ozbekistan|uzbegisztan|usbekistan" },
    { "VA", "VAT", "vatikan|vatican|holy see|vatican city" },
    { "VC", "VCT", "saint vincent and the grenadines" },
    { "VE", "VEN", "venezuela" },
    { "VG", "VGB", "british virgin islands" },
    { "VI", "VIR", "us virgin islands" },
    { "VN", "VNM", "vietnam|viet nam" },
    { "VU", "VUT", "vanuatu" },
    { "WF", "WLF", "wallis and futuna" },
    { "WS", "WSM", "samoa" },
    { "XK", "XKX", "kosovo|kosova|koszovo" },
    { "YE", "YEM", "yemen|jemen" },
    { "YT", "MYT", "mayotte" },
    { "ZA", "ZAF",
      "jihoafricka republika|jizni afrika|juzna afrika|juhoafricka "
      "republika|guney afrika|del afrika|del afrikai koztarsasag|africa de "
      "sud|south africa|sudafrika" },
    { "ZM", "ZMB", "zambia" },
    { "ZW", "ZWE", "zimbabwe" },
};

enum { NAME_MAX_LEN = 64 };

static bool has_name(const struct country *c, struct str name)
{
    struct str rest = str_of(c->names);

    while (rest.len) {
        ptrdiff_t bar = str_find_char(rest, '|');
        struct str one = bar < 0 ? rest : str_first(rest, (size_t)bar);

        if (str_eq(one, name))
            return true;
        rest = str_from(rest, one.len + 1);
    }
    return false;
}

static const struct country *by_code(struct str s)
{
    for (size_t i = 0; i < COUNT(countries); i++)
        if (str_eq_nocase(s, str_of(countries[i].alpha2)) ||
            str_eq_nocase(s, str_of(countries[i].alpha3)))
            return &countries[i];
    return NULL;
}

static const struct country *by_name(struct str s)
{
    char folded[NAME_MAX_LEN];
    struct str name = { folded, text_fold(s, folded, sizeof(folded)) };

    for (size_t i = 0; name.len && i < COUNT(countries); i++)
        if (has_name(&countries[i], name))
            return &countries[i];
    return NULL;
}

bool country_code(struct str s, struct str *code)
{
    const struct country *c;

    s = text_trim(s);
    /* Codes first and as they stand: "CR" is Costa Rica, "ČR" is not. */
    c = by_code(s);
    if (!c)
        c = by_name(s);
    *code = c ? str_of(c->alpha2) : s;
    return c != NULL;
}
