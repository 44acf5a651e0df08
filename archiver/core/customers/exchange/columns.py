"""How files call the columns of a customer, in English, Dutch, French and German."""

from __future__ import annotations

import unicodedata

COLUMNS = (
    "reference",
    "name",
    "address",
    "postal_code",
    "city",
    "country",
    "vat",
    "domains",
    "licences",
    "contact",
    "email",
    "phone",
    "mobile",
    "notes",
)
"""The columns as they are written, in their order."""

CONTACT_COLUMNS = frozenset(("contact", "email", "phone", "mobile"))
"""Columns of a contact: each row has its own. The others are the customer's."""

LIST_COLUMNS = frozenset(("domains", "licences", "email", "phone", "mobile"))
"""Columns with several values in a cell, separated by `|`."""

_NAMES = {
    "reference": "ref customerreference customernumber customerno customernr customerid custno accountnumber accountno "
    "clientnumber clientno klantnummer klantnr klantcode klantref klantreferentie referentie numeroclient numclient "
    "noclient nclient codeclient refclient referenceclient kundennummer kundennr kdnr kundenr referenz nummer number "
    "numero nr no id",
    "name": "company companyname customername organisation organization naam bedrijf bedrijfsnaam firma firmanaam "
    "klantnaam organisatie nom societe nomsociete raisonsociale nomclient entreprise firmenname unternehmen kundenname",
    "address": "adres adresse street streetaddress straat straatennummer rue strasse anschrift addressline1 address1",
    "postal_code": "postcode zip zipcode codepostal cp plz postleitzahl",
    "city": "town gemeente stad plaats woonplaats ville commune localite ort stadt",
    "country": "countrycode land landcode pays codepays staat",
    "vat": "vatnumber vatno vatnr vatid btw btwnummer btwnr ondernemingsnummer kbo kbonummer tva numerotva "
    "numtva notva ntva bce numerodentreprise numeroentreprise ust ustid ustidnr ustnr umsatzsteuerid mwst mwstnr",
    "domains": "domain emaildomain emaildomains maildomain domein domeinen domeinnaam domaine domaines domane domanen",
    "licences": "licence license licenses licencenumber licensenumber licencenumbers licensenumbers licentie licenties "
    "licentienummer licentienummers numerolicence numerodelicence lizenz lizenzen lizenznummer lizenznummern serial "
    "serialnumber serienummer numerodeserie seriennummer",
    "contact": "contacts contactname contactperson contactpersoon contactnaam personnedecontact nomcontact "
    "nomducontact kontakt kontaktperson ansprechpartner",
    "email": "emails mail emailaddress emailaddresses mailaddress emailadres mailadres courriel adressemail "
    "adresseemail adressecourriel emailadresse mailadresse",
    "phone": "phones phonenumber telephone telephonenumber tel telefoon telefoonnummer telefon telefonnummer "
    "numerodetelephone fixe telephonefixe vast vastetelefoon festnetz",
    "mobile": "mobiles mobilephone mobilenumber cell cellphone gsm gsmnummer mobiel mobielnummer mobielenummer "
    "portable telephoneportable handy mobil mobiltelefon handynummer",
    "notes": "note remark remarks comment comments opmerking opmerkingen nota notas notitie notities remarque "
    "remarques commentaire commentaires bemerkung bemerkungen notiz notizen anmerkung anmerkungen",
}


def column_names() -> dict[str, str]:
    """Return every spelling that is understood, folded as `folded_name` does, with the column it means."""
    names = {folded_name(column): column for column in COLUMNS}
    for column, spellings in _NAMES.items():
        names.update(dict.fromkeys(spellings.split(), column))
    return names


def folded_name(text: str) -> str:
    """Return letters and digits of a column's name, without case and accents: "N° de TVA" is `ndetva`."""
    plain = unicodedata.normalize("NFKD", text.replace("°", "").casefold())
    return "".join(c for c in plain if c.isalnum() and c.isascii())
