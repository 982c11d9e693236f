"""Names of columns: which field people call so, in the languages of shops' exports."""

from __future__ import annotations

import re
from collections.abc import Mapping

CERTAIN = 60
"""Points from which a name alone tells a field."""

_ROLES: Mapping[str, Mapping[int, str]] = {
    "customer_id": {
        100: "customer id|customer no|customer number|client id|client no|user id|household id|"
        "member id|member no|buyer id|shopper id|account id|profile id|contact id|visitor id|"
        "subscriber id|kunden nr|kundennummer|kunden id|kundennr|id cliente|cliente id|"
        "klantnummer|klant id|numero client|id client|user pseudo id|cust id|customer key",
        85: "customer|client|household|member|buyer|shopper|loyalty id|loyalty card|card no|"
        "card id|card number|kunde|kundin|cliente|klant|acheteur|kundenkarte|cust|customer email",
        65: "user|card|cardholder|loyalty|account|visitor|subscriber|profile|contact|karte|"
        "tarjeta|email|e mail|customer name|mail",
        40: "phone|telephone|cookie|name",
    },
    "receipt_id": {
        100: "order id|order no|order number|invoice id|invoice no|invoice number|receipt id|"
        "receipt no|receipt number|transaction id|transaction no|basket id|ticket id|ticket no|"
        "sale id|purchase id|bon nr|bonnummer|bon id|belegnummer|beleg nr|rechnungsnummer|"
        "rechnung nr|bestellnummer|bestell nr|numero factura|numero commande|check no|"
        "transaction number|order name|bonnr",
        80: "order|invoice|receipt|basket|ticket|bon|beleg|rechnung|bestellung|factura|pedido|"
        "commande|facture|transaction|document no|document id|charge id|payment id|purchase",
        60: "id|number|no|nr|document|key|uuid|charge|sale",
    },
    "time": {
        100: "order date|invoice date|purchase date|transaction date|sale date|created at|"
        "bought at|ordered at|sold at|order time|invoice ts|transaction ts|event ts|event time|"
        "event timestamp|created date utc|created utc|datetime|date time|timestamp|receipt date|"
        "bestelldatum|rechnungsdatum|kaufdatum|fecha compra|date commande|redemption date|"
        "purchased at|invoice time|order datetime|purchase time",
        85: "date|created|ts|datum|fecha|at|when|zeitpunkt|data|occurred at|time|day|jour|tag",
        50: "processed at|completed at|completed|start date|closed at|paid at|zeit|uhrzeit|hora",
    },
    "amount": {
        100: "total amount|order total|net sales|sales value|line total|net amount|total price|"
        "grand total|gesamtbetrag|total sales|order amount|line amount|total net|converted amount",
        85: "total|amount|revenue|betrag|summe|umsatz|gesamt|importe|montant|bedrag|totaal|"
        "turnover|spend|total paid|sales|sum|gross sales|total ttc|paid amount|amount paid",
        60: "net|gross|value|subtotal|netto|brutto|paid|money|monetary|prix total",
    },
    "unit_price": {
        100: "unit price|price each|item price|price per unit|einzelpreis|stuckpreis|"
        "precio unitario|prix unitaire|lineitem price|unit cost|product price|stukprijs",
        75: "price|preis|precio|prix|prijs|rate",
    },
    "quantity": {
        100: "quantity|qty|menge|cantidad|quantite|lineitem quantity|hoeveelheid|order quantity",
        80: "anzahl|aantal|pieces|units|stuck|items sold|num items|item count|pcs|number of items",
        60: "items|count",
    },
    "category": {
        100: "category|product category|kategorie|warengruppe|categoria|categorie|item category|"
        "product group|category name",
        80: "department|product type|rayon|family|productgroep|item type",
    },
    "product": {
        100: "sku|stock code|product id|item id|article no|artikelnummer|product code|item code|"
        "lineitem sku|ean|upc|article id",
        80: "product|item|article|artikel|producto|produit|product name|item name|description",
    },
    "store_id": {
        100: "store id|shop id|branch id|location id|store no|filial nr|store number|outlet id",
        80: "store|shop|branch|filiale|laden|tienda|magasin|outlet|winkel|location|store name",
    },
    "channel": {100: "channel|sales channel|kanal|canal|order source", 65: "source|medium"},
    "kind": {
        100: "event|event name|event type|interaction type|activity type|ereignis|evento",
        80: "action|activity|kind|interaction",
        60: "type|what",
    },
    "value": {100: "value|seconds|duration|dwell|weight"},
    "event_id": {100: "event id|interaction id|event uuid|message id|insert id"},
    "orders": {
        100: "orders|orders count|order count|total orders|number of orders|num orders|"
        "bestellungen|anzahl bestellungen|purchases|number of purchases|visits|pedidos|commandes",
    },
    "last_purchase": {
        100: "last order|last order date|last purchase|last purchase date|last visit|last bought|"
        "letzter kauf|letzte bestellung|ultima compra|derniere commande|last order at",
    },
    "first_purchase": {
        100: "first order|first order date|first purchase|first purchase date|first visit|"
        "erster kauf|erste bestellung|primera compra|premiere commande|first order at",
    },
    "as_of": {100: "as of|stand|stichtag|snapshot date|report date|snapshot"},
    "valid_from": {100: "valid from|updated at|since|valid since|as of|gultig ab|changed at"},
    "version": {
        100: "updated at|updated|modified at|modified|last modified|last updated|changed at|"
        "last change|update time|version|revision|sequence no|sequence number|geandert am|"
        "aktualisiert am|letzte anderung",
    },
    "line_number": {
        100: "line no|line number|line id|lineitem id|line item id|order item id|order line|"
        "position|zeile|zeilennummer|positionsnummer|row no|row number",
    },
    "is_void": {100: "void|voided|is void|storno|cancelled|canceled|is cancelled|is canceled"},
    "is_return": {100: "is return|return|returned|retoure|is refund|refund|is returned"},
    "currency": {100: "currency|currency code|wahrung|waehrung|devise|moneda|divisa|valuta"},
    "attribute": {
        100: "country|city|region|state|province|zip|postcode|postal code|gender|sex|platform|"
        "language|land|ort|stadt|plz|geschlecht|pays|ville|pais|ciudad|acquisition channel|"
        "age|age group|income",
    },
}
_OTHERS = {
    "customer_id": "type group country count segment city since reference state zip",
    "receipt_id": "date time ts status total count line item type amount",
    "time": "birth update updated modified shipped delivery due valid expires zone last first "
    "fulfilled registered cancelled end",
    "amount": "tax taxes vat discount disc discounts shipping refunded refund refunds tip tips fee "
    "cost margin points unit qty quantity count balance mwst steuer compare id currency fees",
    "unit_price": "compare discount total",
    "quantity": "price total amount",
    "store_id": "zip",
}
_SIGNS = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "é": "e", "è": "e", "í": "i", "ú": "u",
                        "ó": "o", "á": "a", "ß": "s", "ñ": "n", "ê": "e", "ç": "c"})  # fmt: skip


def words_of(name: str) -> tuple[str, ...]:
    """Words of a name in lower case: `Order #`, `OrderNo` and `order_no` are the same."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    numbered = re.sub(r"#|\bN[º°o]\b", " no ", spaced)
    return tuple(re.findall(r"[^\W_]+", numbered.lower().translate(_SIGNS)))


def points(role: str, name: str) -> int:
    """How much a name tells that a column is a field; 0 for nothing, 100 for a usual name of it."""
    words = words_of(name)
    if set(words) & set(_OTHERS.get(role, "").split()):
        return 0
    best = 0
    for worth, names in _ROLES[role].items():
        for one in names.split("|"):
            told = tuple(one.split())
            if set(told) <= set(words) or "".join(told) == "".join(words):
                best = max(best, worth - 8 * max(len(words) - len(told), 0))
    return best
