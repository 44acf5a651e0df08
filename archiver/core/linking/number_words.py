"""Words that say what a number behind them is, in Dutch, English, French and German: data only, in folded form."""

LABELS = """
klantnummer klantnr klantennummer klantennr klantencode klantcode klantreferentie klantid relatienummer relatienr
debiteurnummer debiteurennummer debiteurnr debiteurennr referentie referentienummer referentienr kenmerk
dossier dossiernummer dossiernr licentie licentienummer licentienr licentiesleutel licentiecode
serienummer serienr lidnummer sleutel
reference referencenumber ref refnr refno refnummer customernumber customerno customerid clientnumber clientid
accountnumber licence license licences licenses licencekey licensekey serial serialnumber serialno sn key
cle numeroclient
kundennummer kundennr kundenr kdnr kundencode kundenkennung referenz referenznummer zeichen aktenzeichen
lizenz lizenznummer lizenznr lizenzschlussel lizenzschluessel seriennummer seriennr
"""
"""What says by itself that a licence, customer or reference number follows."""

PARTIES = "klant klanten client clients customer kunde kunden kd account cust debiteur relatie"
"""What says so when nothing but a word for number stands between."""

COUNTERS = "nr no n num numero number nummer code id is ist est s"

FILLERS = """
onze ons uw u jullie bij van voor de het is als dit our your with for of the as by notre votre chez vous nous de du
la le pour par unser unsere unserer ihr ihre ihrer ihnen bei von der die das fur lautet volgt luidt
"""
"""What may stand between a label and its number: `our reference with you is 4711`, and not `ref. date 4711`."""

OTHERS = """
factuur factuurnummer factuurnr facture invoice rechnung rechnungsnummer bestelling bestelbon bestelnummer order
commande bestellung offerte offertenummer offre devis quote quotation angebot ticket ticketnummer case
tel telefoon telephone telefon phone gsm mobile mobiel handy fax pagina page seite art artikel article
postbus bus box bp iban bic rekening compte konto bank btw tva vat ust mwst kbo bce version versie poort port
"""
"""What says that a number behind it is of another kind, whatever stands before."""

THINGS = """
artikel artikelnummer artikelnr artikels article articles art item onderdeel onderdeelnummer onderdelen part partno
piece ersatzteil bauteil teil lokaal zaal kamer room salle chambre zimmer raum saal model modele modell type typ vlucht
flight vol flug perron quai gate
"""
"""What says that even a number with letters behind it names a part, a room or a machine, and no customer."""

UNITS = "eur euro euros usd dollar gbp chf stuks stuk st pieces pcs stuck pct procent"
"""What says that the number before it is an amount."""
