"""Makes the console's fonts from Debian's fonts-inter: figures tabular by default, scripts a directory needs."""
import sys
from fontTools.ttLib import TTFont
from fontTools import subset
src, out = sys.argv[1], sys.argv[2]
RANGES = [(0x20,0x7e),(0xa0,0x24f),(0x2b0,0x2ff),(0x370,0x3ff),(0x400,0x52f),(0x1e00,0x1eff),(0x2010,0x2027),(0x202f,0x205e),(0x20a0,0x20bf),(0x2116,0x2122),(0x2190,0x2193),(0x21c4,0x21c4),(0x2212,0x2212),(0x2318,0x2318),(0x23ce,0x23ce),(0x25cf,0x25cf),(0xfffd,0xfffd)]
for weight in ["Regular","Medium","SemiBold","Bold","Italic","BoldItalic"]:
    font = TTFont(f"{src}/Inter-{weight}.otf")
    gsub = font["GSUB"].table
    tab = {}
    for record in gsub.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for i in record.Feature.LookupListIndex:
                for st in gsub.LookupList.Lookup[i].SubTable:
                    st = getattr(st, "ExtSubTable", st)
                    tab.update(getattr(st, "mapping", {}))
    figures = [ord(c) for c in "0123456789:"]
    done = 0
    for table in font["cmap"].tables:
        for cp in figures:
            glyph = table.cmap.get(cp)
            if glyph in tab:
                table.cmap[cp] = tab[glyph]; done += 1
    assert done >= 10, done
    options = subset.Options()
    options.layout_features = ["kern","mark","mkmk","ccmp","locl"]
    options.hinting = False
    options.desubroutinize = False
    options.name_IDs = ["*"]
    options.notdef_outline = True
    s = subset.Subsetter(options)
    s.populate(unicodes=[c for a,b in RANGES for c in range(a,b+1)])
    s.subset(font)
    font.save(f"{out}/Inter-{weight}.otf")
