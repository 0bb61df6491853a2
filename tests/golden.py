"""Reference values for the statistics, computed in R; the tests read them, R itself is not needed.

R 4.2.2 (fisher.test, wilcox.test, poisson.test, quantile, p.adjust of its package stats). Intervals of odds
ratios: CRAN package exact2x2 (Fay), its exact2x2CI in the form it has since version 1.1-0; they carry nine
decimals. Everything else carries ten significant digits. Each call stands above its values; what R does not
give exactly has its formula there. Every value was confirmed by a second computation: in exact fractions,
45-digit decimals, SciPy or NumPy.
"""

from math import inf, nan

# fmt: off

# FISHER: the table [[a, b], [c, d]] and
#   p_value      fisher.test(m)$p.value, m the matrix of the comment
#   odds_ratio   conditional maximum likelihood, fisher.test's own equation: sum(s * d) / sum(d) = a, with
#                s <- max(0, k - n2):min(k, n1); d <- dhyper(s, n1, n2, k) * psi^s; n1, n2 the row sums and
#                k = a + c; solved in log(psi) by uniroot with tol = 1e-15; nan where a margin is empty, so
#                that every odds ratio is equally likely
#   fisher_test_odds_ratio   fisher.test(m)$estimate as R prints it: R stops at tol = 1.2e-4 (1 % off for the
#                largest ratio below) and prints 0 where the ratio is undefined; compare loosely or not at all
#   intervals    level: exact2x2(m, tsmethod="minlike", conf.level=level, tol=1e-10)$conf.int, the hull of
#                all odds ratios whose two-sided P is at least 1 - level; compare with an absolute tolerance
#                of 2e-9
# Rows of table1 are adults, then juveniles; of table2 extended, then limited weakness; of text
# polymyositis, then dermatomyositis; the columns are yes, no.
# With equal groups the interval often ends at exactly 1 although P is above 0.05: at 1 the mirror table
# ties with the observed one, beside 1 it does not. So "excludes 1" has to be strict (limit < 1 or > 1), and
# rounding must not push such a limit to the wrong side of 1.
FISHER = [
    # fisher.test(matrix(c(14, 33, 12, 17), 2, byrow=TRUE))
    {
        "name": "table1/male",
        "table": [[14, 33], [12, 17]],
        "p_value": 0.3288074124,
        "odds_ratio": 0.6051561929,
        "fisher_test_odds_ratio": 0.6051386112,
        "intervals": {0.95: (0.222769795, 1.632003964)},
    },
    # fisher.test(matrix(c(23, 24, 4, 25), 2, byrow=TRUE))
    {
        "name": "table1/polymyositis",
        "table": [[23, 24], [4, 25]],
        "p_value": 0.002708813337,
        "odds_ratio": 5.85312278,
        "fisher_test_odds_ratio": 5.853016842,
        "intervals": {
            0.9: (2.016985159, 16.088608113),
            0.95: (1.7823686, 20.998783661),
            0.99: (1.239206223, 35.984690164),
        },
    },
    # fisher.test(matrix(c(24, 23, 25, 4), 2, byrow=TRUE))
    {
        "name": "table1/dermatomyositis",
        "table": [[24, 23], [25, 4]],
        "p_value": 0.002708813337,
        "odds_ratio": 0.1708489703,
        "fisher_test_odds_ratio": 0.1708520626,
        "intervals": {
            0.9: (0.062155781, 0.495789469),
            0.95: (0.047621806, 0.561051176),
            0.99: (0.027789596, 0.806968188),
        },
    },
    # fisher.test(matrix(c(40, 7, 28, 1), 2, byrow=TRUE))
    {
        "name": "table1/any_rash",
        "table": [[40, 7], [28, 1]],
        "p_value": 0.1447535662,
        "odds_ratio": 0.2074650624,
        "fisher_test_odds_ratio": 0.2074684042,
        "intervals": {0.95: (0.008883607, 1.708408535)},
    },
    # fisher.test(matrix(c(11, 36, 16, 13), 2, byrow=TRUE))
    {
        "name": "table1/heliotrope_rash",
        "table": [[11, 36], [16, 13]],
        "p_value": 0.006861010203,
        "odds_ratio": 0.2533730832,
        "fisher_test_odds_ratio": 0.253373075,
        "intervals": {
            0.9: (0.105787029, 0.593154872),
            0.95: (0.08982735, 0.717578483),
            0.99: (0.065344678, 0.964375612),
        },
    },
    # fisher.test(matrix(c(24, 23, 21, 8), 2, byrow=TRUE))
    {
        "name": "table1/gottron_sign_or_papules",
        "table": [[24, 23], [21, 8]],
        "p_value": 0.09286920478,
        "odds_ratio": 0.4023811696,
        "fisher_test_odds_ratio": 0.4023803606,
        "intervals": {0.95: (0.141728257, 1.163362333)},
    },
    # fisher.test(matrix(c(27, 20, 23, 6), 2, byrow=TRUE))
    {
        "name": "table1/facial_edema",
        "table": [[27, 20], [23, 6]],
        "p_value": 0.08056161442,
        "odds_ratio": 0.3569385648,
        "fisher_test_odds_ratio": 0.3569382056,
        "intervals": {0.95: (0.118051659, 1.042370101)},
    },
    # fisher.test(matrix(c(16, 31, 18, 11), 2, byrow=TRUE))
    {
        "name": "table1/periungual_erythema",
        "table": [[16, 31], [18, 11]],
        "p_value": 0.01987488363,
        "odds_ratio": 0.3205393235,
        "fisher_test_odds_ratio": 0.3205401055,
        "intervals": {0.95: (0.110416195, 0.889920709)},
    },
    # fisher.test(matrix(c(4, 43, 5, 24), 2, byrow=TRUE))
    {
        "name": "table1/subcutaneous_calcinosis",
        "table": [[4, 43], [5, 24]],
        "p_value": 0.2896470358,
        "odds_ratio": 0.451537864,
        "fisher_test_odds_ratio": 0.4515332003,
        "intervals": {0.95: (0.104929399, 1.839860907)},
    },
    # fisher.test(matrix(c(13, 34, 7, 22), 2, byrow=TRUE))
    {
        "name": "table1/subcutaneous_edema",
        "table": [[13, 34], [7, 22]],
        "p_value": 0.7942497545,
        "odds_ratio": 1.198808612,
        "fisher_test_odds_ratio": 1.198807342,
        "intervals": {0.95: (0.390601879, 3.714171803)},
    },
    # fisher.test(matrix(c(34, 13, 22, 7), 2, byrow=TRUE))
    {
        "name": "table1/myalgia",
        "table": [[34, 13], [22, 7]],
        "p_value": 0.7942497545,
        "odds_ratio": 0.8341615082,
        "fisher_test_odds_ratio": 0.8341623919,
        "intervals": {0.95: (0.269239026, 2.560151535)},
    },
    # fisher.test(matrix(c(46, 1, 28, 1), 2, byrow=TRUE))
    {
        "name": "table1/muscle_weakness",
        "table": [[46, 1], [28, 1]],
        "p_value": 1.0,
        "odds_ratio": 1.631735756,
        "fisher_test_odds_ratio": 1.63167111,
        "intervals": {0.95: (0.041235788, 64.569194249)},
    },
    # fisher.test(matrix(c(19, 28, 17, 12), 2, byrow=TRUE))
    {
        "name": "table1/distal_weakness",
        "table": [[19, 28], [17, 12]],
        "p_value": 0.157992589,
        "odds_ratio": 0.4837636158,
        "fisher_test_odds_ratio": 0.4837605097,
        "intervals": {0.95: (0.180826319, 1.319086323)},
    },
    # fisher.test(matrix(c(29, 18, 16, 13), 2, byrow=TRUE))
    {
        "name": "table1/neck_weakness",
        "table": [[29, 18], [16, 13]],
        "p_value": 0.635010391,
        "odds_ratio": 1.304359606,
        "fisher_test_odds_ratio": 1.304338322,
        "intervals": {0.95: (0.502493012, 3.426058082)},
    },
    # fisher.test(matrix(c(22, 25, 11, 18), 2, byrow=TRUE))
    {
        "name": "table1/dysphagia",
        "table": [[22, 25], [11, 18]],
        "p_value": 0.4839525468,
        "odds_ratio": 1.433118317,
        "fisher_test_odds_ratio": 1.433099659,
        "intervals": {0.95: (0.519274961, 3.878812015)},
    },
    # fisher.test(matrix(c(4, 43, 0, 29), 2, byrow=TRUE))
    {
        "name": "table1/interstitial_lung_disease",
        "table": [[4, 43], [0, 29]],
        "p_value": 0.2913961691,
        "odds_ratio": inf,
        "fisher_test_odds_ratio": inf,
        "intervals": {
            0.9: (0.604078064, inf),
            0.95: (0.565264145, inf),
            0.99: (0.287443284, inf),
        },
    },
    # fisher.test(matrix(c(8, 39, 1, 28), 2, byrow=TRUE))
    {
        "name": "table1/malignancy",
        "table": [[8, 39], [1, 28]],
        "p_value": 0.1409685084,
        "odds_ratio": 5.642581526,
        "fisher_test_odds_ratio": 5.642498755,
        "intervals": {0.95: (0.754862596, 129.926729119)},
    },
    # fisher.test(matrix(c(19, 28, 11, 18), 2, byrow=TRUE))
    {
        "name": "table1/ana_positive",
        "table": [[19, 28], [11, 18]],
        "p_value": 1.0,
        "odds_ratio": 1.108864348,
        "fisher_test_odds_ratio": 1.108863709,
        "intervals": {0.95: (0.393292314, 3.01139821)},
    },
    # fisher.test(matrix(c(17, 23, 14, 10), 2, byrow=TRUE))
    {
        "name": "table1/perifascicular_atrophy",
        "table": [[17, 23], [14, 10]],
        "p_value": 0.3024637376,
        "odds_ratio": 0.5333328685,
        "fisher_test_odds_ratio": 0.5333256334,
        "intervals": {0.95: (0.186697259, 1.543069758)},
    },
    # fisher.test(matrix(c(4, 36, 7, 17), 2, byrow=TRUE))
    {
        "name": "table1/microinfarction",
        "table": [[4, 36], [7, 17]],
        "p_value": 0.08425727147,
        "odds_ratio": 0.2759452778,
        "fisher_test_odds_ratio": 0.2759347429,
        "intervals": {0.95: (0.06671603, 1.076329761)},
    },
    # fisher.test(matrix(c(13, 23, 13, 27), 2, byrow=TRUE))
    {
        "name": "table2/male",
        "table": [[13, 23], [13, 27]],
        "p_value": 0.8110361246,
        "odds_ratio": 1.171433796,
        "fisher_test_odds_ratio": 1.171429806,
        "intervals": {0.95: (0.450312929, 3.055114178)},
    },
    # fisher.test(matrix(c(27, 9, 18, 22), 2, byrow=TRUE))
    {
        "name": "table2/neck_weakness",
        "table": [[27, 9], [18, 22]],
        "p_value": 0.0103986709,
        "odds_ratio": 3.601220238,
        "fisher_test_odds_ratio": 3.601203682,
        "intervals": {
            0.9: (1.507027824, 8.360352223),
            0.95: (1.29482785, 9.78266428),
            0.99: (0.979850733, 15.025523522),
        },
    },
    # fisher.test(matrix(c(14, 22, 19, 21), 2, byrow=TRUE))
    {
        "name": "table2/dysphagia",
        "table": [[14, 22], [19, 21]],
        "p_value": 0.4935883495,
        "odds_ratio": 0.7066252579,
        "fisher_test_odds_ratio": 0.7066376314,
        "intervals": {0.95: (0.273746433, 1.850491748)},
    },
    # fisher.test(matrix(c(17, 19, 13, 27), 2, byrow=TRUE))
    {
        "name": "table2/ana_positive",
        "table": [[17, 19], [13, 27]],
        "p_value": 0.2420451054,
        "odds_ratio": 1.842947888,
        "fisher_test_odds_ratio": 1.842974056,
        "intervals": {0.95: (0.684902241, 4.75580053)},
    },
    # fisher.test(matrix(c(16, 16, 15, 17), 2, byrow=TRUE))
    {
        "name": "table2/perifascicular_atrophy",
        "table": [[16, 16], [15, 17]],
        "p_value": 1.0,
        "odds_ratio": 1.131117628,
        "fisher_test_odds_ratio": 1.131115299,
        "intervals": {0.95: (0.414276652, 3.146385173)},
    },
    # fisher.test(matrix(c(9, 23, 2, 30), 2, byrow=TRUE))
    {
        "name": "table2/microinfarction",
        "table": [[9, 23], [2, 30]],
        "p_value": 0.04331821496,
        "odds_ratio": 5.718544156,
        "fisher_test_odds_ratio": 5.718528918,
        "intervals": {0.95: (1.180961509, 40.121495239)},
    },
    # fisher.test(matrix(c(2, 25, 2, 47), 2, byrow=TRUE))
    {
        "name": "text/interstitial_lung_disease",
        "table": [[2, 25], [2, 47]],
        "p_value": 0.6122699195,
        "odds_ratio": 1.863488121,
        "fisher_test_odds_ratio": 1.863554049,
        "intervals": {0.95: (0.191483533, 18.141355132)},
    },
    # fisher.test(matrix(c(6, 21, 3, 46), 2, byrow=TRUE))
    {
        "name": "text/malignancy",
        "table": [[6, 21], [3, 46]],
        "p_value": 0.06082782236,
        "odds_ratio": 4.287895985,
        "fisher_test_odds_ratio": 4.287881189,
        "intervals": {0.95: (0.849834602, 21.56683367)},
    },
    # fisher.test(matrix(c(0, 29, 4, 43), 2, byrow=TRUE))
    {
        "name": "juvenile against adult, zero first",
        "table": [[0, 29], [4, 43]],
        "p_value": 0.2913961691,
        "odds_ratio": 0.0,
        "fisher_test_odds_ratio": 0.0,
        "intervals": {0.95: (0.0, 1.769084433)},
    },
    # fisher.test(matrix(c(0, 0, 5, 7), 2, byrow=TRUE))
    {
        "name": "first row empty",
        "table": [[0, 0], [5, 7]],
        "p_value": 1.0,
        "odds_ratio": nan,
        "fisher_test_odds_ratio": 0.0,
        "intervals": {0.95: (0.0, inf)},
    },
    # fisher.test(matrix(c(5, 7, 0, 0), 2, byrow=TRUE))
    {
        "name": "second row empty",
        "table": [[5, 7], [0, 0]],
        "p_value": 1.0,
        "odds_ratio": nan,
        "fisher_test_odds_ratio": 0.0,
        "intervals": {0.95: (0.0, inf)},
    },
    # fisher.test(matrix(c(0, 5, 0, 7), 2, byrow=TRUE))
    {
        "name": "first column empty",
        "table": [[0, 5], [0, 7]],
        "p_value": 1.0,
        "odds_ratio": nan,
        "fisher_test_odds_ratio": 0.0,
        "intervals": {0.95: (0.0, inf)},
    },
    # fisher.test(matrix(c(5, 0, 7, 0), 2, byrow=TRUE))
    {
        "name": "second column empty",
        "table": [[5, 0], [7, 0]],
        "p_value": 1.0,
        "odds_ratio": nan,
        "fisher_test_odds_ratio": 0.0,
        "intervals": {0.95: (0.0, inf)},
    },
    # fisher.test(matrix(c(0, 0, 0, 0), 2, byrow=TRUE))
    {
        "name": "no patient at all",
        "table": [[0, 0], [0, 0]],
        "p_value": 1.0,
        "odds_ratio": nan,
        "fisher_test_odds_ratio": 0.0,
        "intervals": {0.95: (0.0, inf)},
    },
    # fisher.test(matrix(c(3, 0, 0, 3), 2, byrow=TRUE))
    {
        "name": "perfect separation",
        "table": [[3, 0], [0, 3]],
        "p_value": 0.1,
        "odds_ratio": inf,
        "fisher_test_odds_ratio": inf,
        "intervals": {0.95: (1.0, inf)},
    },
    # fisher.test(matrix(c(0, 10, 10, 0), 2, byrow=TRUE))
    {
        "name": "perfect separation, reversed",
        "table": [[0, 10], [10, 0]],
        "p_value": 1.082508822e-05,
        "odds_ratio": 0.0,
        "fisher_test_odds_ratio": 0.0,
        "intervals": {0.95: (0.0, 0.069006556)},
    },
    # fisher.test(matrix(c(20, 1, 1, 30), 2, byrow=TRUE))
    {
        "name": "nearly perfect separation",
        "table": [[20, 1], [1, 30]],
        "p_value": 3.395978123e-12,
        "odds_ratio": 367.0308353,
        "fisher_test_odds_ratio": 363.4886206,
        "intervals": {0.95: (31.249670496, 12517.941969803)},
    },
    # fisher.test(matrix(c(1, 0, 0, 1), 2, byrow=TRUE))
    {
        "name": "one patient each",
        "table": [[1, 0], [0, 1]],
        "p_value": 1.0,
        "odds_ratio": inf,
        "fisher_test_odds_ratio": inf,
        "intervals": {0.95: (0.052631579, inf)},
    },
    # fisher.test(matrix(c(1, 0, 0, 19), 2, byrow=TRUE))
    {
        "name": "P is exactly 1/20",
        "table": [[1, 0], [0, 19]],
        "p_value": 0.05,
        "odds_ratio": inf,
        "fisher_test_odds_ratio": inf,
        "intervals": {0.95: (1.0, inf)},
    },
    # fisher.test(matrix(c(3, 1, 1, 3), 2, byrow=TRUE))
    {
        "name": "symmetric margins: ties in both tails",
        "table": [[3, 1], [1, 3]],
        "p_value": 0.4857142857,
        "odds_ratio": 6.408319658,
        "fisher_test_odds_ratio": 6.408308867,
        "intervals": {0.95: (0.313573768, 306.236807859)},
    },
    # fisher.test(matrix(c(7, 3, 3, 7), 2, byrow=TRUE))
    {
        "name": "symmetric margins, ten each: ties in both tails",
        "table": [[7, 3], [3, 7]],
        "p_value": 0.178895408,
        "odds_ratio": 4.949394741,
        "fisher_test_odds_ratio": 4.949396405,
        "intervals": {
            0.9: (0.993845881, 26.788523402),
            0.95: (0.675480019, 39.365219008),
            0.99: (0.432320417, 84.24729332),
        },
    },
    # fisher.test(matrix(c(5, 5, 5, 5), 2, byrow=TRUE))
    {
        "name": "no difference: odds ratio exactly 1",
        "table": [[5, 5], [5, 5]],
        "p_value": 1.0,
        "odds_ratio": 1.0,
        "fisher_test_odds_ratio": 1.0,
        "intervals": {0.95: (0.157487905, 6.349693947)},
    },
    # fisher.test(matrix(c(2, 4, 5, 10), 2, byrow=TRUE))
    {
        "name": "no difference, unequal groups",
        "table": [[2, 4], [5, 10]],
        "p_value": 1.0,
        "odds_ratio": 1.0,
        "fisher_test_odds_ratio": 1.0,
        "intervals": {0.95: (0.102180358, 7.617146643)},
    },
    # fisher.test(matrix(c(6, 12, 12, 5), 2, byrow=TRUE))
    {
        "name": "P < 0.05, yet the central interval contains 1",
        "table": [[6, 12], [12, 5]],
        "p_value": 0.04371016838,
        "odds_ratio": 0.2189020682,
        "fisher_test_odds_ratio": 0.2189020549,
        "intervals": {
            0.9: (0.063072059, 0.749013532),
            0.95: (0.043552203, 0.917017672),
            0.99: (0.028788202, 1.411693565),
        },
    },
    # fisher.test(matrix(c(2, 31, 136, 15532), 2, byrow=TRUE))
    {
        "name": "one-sided and two-sided P equal",
        "table": [[2, 31], [136, 15532]],
        "p_value": 0.03390271476,
        "odds_ratio": 7.365322678,
        "fisher_test_odds_ratio": 7.366063279,
        "intervals": {0.95: (1.243626231, 28.355658302)},
    },
    # fisher.test(matrix(c(7, 255, 30, 464), 2, byrow=TRUE))
    {
        "name": "a gap in the confidence set at 1",
        "table": [[7, 255], [30, 464]],
        "p_value": 0.04996256423,
        "odds_ratio": 0.4249879343,
        "fisher_test_odds_ratio": 0.4249891072,
        "intervals": {0.95: (0.177257008, 1.013828237)},
    },
    # fisher.test(matrix(c(17, 64, 126, 769), 2, byrow=TRUE))
    {
        "name": "unequal, 976 patients",
        "table": [[17, 64], [126, 769]],
        "p_value": 0.1006961979,
        "odds_ratio": 1.620235444,
        "fisher_test_odds_ratio": 1.62023171,
        "intervals": {0.95: (0.896174902, 2.923716665)},
    },
    # fisher.test(matrix(c(9, 23, 17, 15), 2, byrow=TRUE))
    {
        "name": "32 against 32: the interval ends exactly at 1",
        "table": [[9, 23], [17, 15]],
        "p_value": 0.07390415504,
        "odds_ratio": 0.3512982035,
        "fisher_test_odds_ratio": 0.3513103779,
        "intervals": {0.95: (0.118534341, 1.0)},
    },
    # fisher.test(matrix(c(3, 29, 10, 22), 2, byrow=TRUE))
    {
        "name": "32 against 32, smaller counts: the interval ends exactly at 1",
        "table": [[3, 29], [10, 22]],
        "p_value": 0.05961084039,
        "odds_ratio": 0.2328164331,
        "fisher_test_odds_ratio": 0.2328215906,
        "intervals": {0.95: (0.049416949, 1.0)},
    },
    # fisher.test(matrix(c(2, 0, 2, 12), 2, byrow=TRUE))
    {
        "name": "P is exactly 1/20, 16 patients",
        "table": [[2, 0], [2, 12]],
        "p_value": 0.05,
        "odds_ratio": inf,
        "fisher_test_odds_ratio": inf,
        "intervals": {0.95: (1.0, inf)},
    },
    # fisher.test(matrix(c(120, 880, 80, 920), 2, byrow=TRUE))
    {
        "name": "2000 patients",
        "table": [[120, 880], [80, 920]],
        "p_value": 0.003564802763,
        "odds_ratio": 1.567831822,
        "fisher_test_odds_ratio": 1.567816345,
        "intervals": {
            0.9: (1.216320693, 2.033163819),
            0.95: (1.155766752, 2.117279502),
            0.99: (1.057414836, 2.342190764),
        },
    },
    # fisher.test(matrix(c(300, 700, 100, 900), 2, byrow=TRUE))
    {
        "name": "2000 patients, tiny P",
        "table": [[300, 700], [100, 900]],
        "p_value": 9.493768908e-30,
        "odds_ratio": 3.854572519,
        "fisher_test_odds_ratio": 3.854559593,
        "intervals": {0.95: (3.001105268, 4.952015219)},
    },
]

# CENTRAL: the interval that fisher.test itself prints for one of the tables above, from two one-sided
# tests. P is 0.0437, and yet 1 is inside. fisher.test(matrix(c(6, 12, 12, 5), 2, byrow=TRUE))$conf.int
# stops at tol = 1.2e-4 and prints (0.03888003, 1.05649145); solved with tol = 1e-14 from sum(d[s >= a]) /
# sum(d) = 0.025 and sum(d[s <= a]) / sum(d) = 0.025, s and d as above:
CENTRAL = {"table": [[6, 12], [12, 5]], "level": 0.95, "interval": (0.03887940927, 1.056491801)}

# FISHER_RXC: fisher.test(m)$p.value, exact (no simulation).
FISHER_RXC = [
    # fisher.test(matrix(c(25, 24, 3, 16, 1, 7), 3, byrow=TRUE))
    {"name": "figure1, juvenile and adult: dermatomyositis, other rash, no rash",
     "table": [[25, 24], [3, 16], [1, 7]], "p_value": 0.006959753679},
    # fisher.test(matrix(c(25, 3, 1, 24, 16, 7), 2, byrow=TRUE))
    {"name": "figure1, transposed", "table": [[25, 3, 1], [24, 16, 7]], "p_value": 0.006959753679},
    # fisher.test(matrix(c(11, 36, 16, 13), 2, byrow=TRUE))
    {"name": "a two-by-two table", "table": [[11, 36], [16, 13]], "p_value": 0.006861010203},
    # fisher.test(matrix(c(8, 3, 1, 2, 5, 6), 2, byrow=TRUE))
    {"name": "2 x 3", "table": [[8, 3, 1], [2, 5, 6]], "p_value": 0.02319289272},
    # fisher.test(matrix(c(0, 4, 6, 5, 3, 2), 2, byrow=TRUE))
    {"name": "2 x 3 with a zero", "table": [[0, 4, 6], [5, 3, 2]], "p_value": 0.03780120808},
    # fisher.test(matrix(c(3, 1, 2, 0, 4, 1, 2, 2, 5), 3, byrow=TRUE))
    {"name": "3 x 3", "table": [[3, 1, 2], [0, 4, 1], [2, 2, 5]], "p_value": 0.1799183788},
    # fisher.test(matrix(c(4, 0, 0, 0, 4, 0, 0, 0, 4), 3, byrow=TRUE))
    {"name": "3 x 3, diagonal", "table": [[4, 0, 0], [0, 4, 0], [0, 0, 4]], "p_value": 0.0001731601732},
    # fisher.test(matrix(c(2, 2, 2, 2, 2, 2, 2, 2, 2), 3, byrow=TRUE))
    {"name": "3 x 3, all equal: P is 1",
     "table": [[2, 2, 2], [2, 2, 2], [2, 2, 2]], "p_value": 1.0},
    # fisher.test(matrix(c(7, 2, 3, 6, 5, 5, 1, 8), 4, byrow=TRUE))
    {"name": "4 x 2", "table": [[7, 2], [3, 6], [5, 5], [1, 8]], "p_value": 0.03183064511},
    # fisher.test(matrix(c(3, 1, 1, 3, 3, 1, 1, 3), 4, byrow=TRUE))
    {"name": "4 x 2 with ties", "table": [[3, 1], [1, 3], [3, 1], [1, 3]], "p_value": 0.3622377622},
    # fisher.test(matrix(c(5, 7, 0, 0, 6, 2), 3, byrow=TRUE))
    {"name": "3 x 2 with an empty row", "table": [[5, 7], [0, 0], [6, 2]], "p_value": 0.196808764},
    # fisher.test(matrix(c(0, 29, 2, 20, 6, 19), 3, byrow=TRUE))
    {"name": "3 x 2 with a zero", "table": [[0, 29], [2, 20], [6, 19]], "p_value": 0.01094417576},
]

# MANN_WHITNEY: x, y and
#   statistic       wilcox.test(x, y, exact=FALSE)$statistic: pairs with x above y, ties count one half
#   p_value         wilcox.test(x, y, exact=FALSE, correct=FALSE)$p.value; NaN in R where all values are equal
#   exact_p_value   wilcox.test(x, y, exact=TRUE)$p.value; None with ties, where R has no exact distribution
#   shift           Hodges-Lehmann: wilcox.test(x, y, exact=TRUE, conf.int=TRUE)$estimate without ties, else
#                   its definition median(outer(x, y, "-")); positive where x is larger
MANN_WHITNEY = [
    # x <- c(1, 2, 3); y <- c(4, 5, 6)
    {
        "name": "complete separation",
        "x": [1, 2, 3],
        "y": [4, 5, 6],
        "statistic": 0.0,
        "p_value": 0.04953461344,
        "exact_p_value": 0.1,
        "shift": -3.0,
    },
    # x <- c(1); y <- c(2)
    {
        "name": "one each",
        "x": [1],
        "y": [2],
        "statistic": 0.0,
        "p_value": 0.3173105079,
        "exact_p_value": 1.0,
        "shift": -1.0,
    },
    # x <- c(1, 4, 5, 8); y <- c(2, 3, 6, 7)
    {
        "name": "interleaved",
        "x": [1, 4, 5, 8],
        "y": [2, 3, 6, 7],
        "statistic": 8.0,
        "p_value": 1.0,
        "exact_p_value": 1.0,
        "shift": 0.0,
    },
    # x <- c(12.5, 3.1, 8.8, 20.2, 15.7); y <- c(1.2, 9.9, 4.4, 2.3, 7.7, 6.1, 5.0)
    {
        "name": "unequal sizes",
        "x": [12.5, 3.1, 8.8, 20.2, 15.7],
        "y": [1.2, 9.9, 4.4, 2.3, 7.7, 6.1, 5.0],
        "statistic": 29.0,
        "p_value": 0.0618185064,
        "exact_p_value": 0.07323232323,
        "shift": 7.5,
    },
    # x <- c(...); y <- c(...), the values below
    {
        "name": "creatine kinase, no ties",
        "x": [2594, 954, 5652, 1800, 310, 4400, 120],
        "y": [2624, 1322, 7340, 980, 15000, 3300, 210, 6100, 2100],
        "statistic": 21.0,
        "p_value": 0.2663799233,
        "exact_p_value": 0.2991258741,
        "shift": -1012.0,
    },
    # x <- c(1, 1, 2, 5); y <- c(3, 4, 6, 7)
    {
        "name": "ties within a group",
        "x": [1, 1, 2, 5],
        "y": [3, 4, 6, 7],
        "statistic": 2.0,
        "p_value": 0.08142910236,
        "exact_p_value": None,
        "shift": -2.5,
    },
    # x <- c(1, 2, 2, 3, 4); y <- c(2, 3, 3, 5, 6, 6)
    {
        "name": "ties between groups",
        "x": [1, 2, 2, 3, 4],
        "y": [2, 3, 3, 5, 6, 6],
        "statistic": 6.0,
        "p_value": 0.09337724361,
        "exact_p_value": None,
        "shift": -2.0,
    },
    # x <- c(0, 0, 40, 40, 80, 160); y <- c(0, 40, 80, 80, 320, 640, 640)
    {
        "name": "many ties, titers",
        "x": [0, 0, 40, 40, 80, 160],
        "y": [0, 40, 80, 80, 320, 640, 640],
        "statistic": 11.0,
        "p_value": 0.1457285332,
        "exact_p_value": None,
        "shift": -80.0,
    },
    # x <- c(3, 3, 3); y <- c(3, 3)
    {
        "name": "all values equal",
        "x": [3, 3, 3],
        "y": [3, 3],
        "statistic": 3.0,
        "p_value": nan,
        "exact_p_value": None,
        "shift": 0.0,
    },
    # x <- c(1, 2, 3, 4); y <- c(1, 2, 3, 4)
    {
        "name": "identical groups",
        "x": [1, 2, 3, 4],
        "y": [1, 2, 3, 4],
        "statistic": 8.0,
        "p_value": 1.0,
        "exact_p_value": None,
        "shift": 0.0,
    },
    # x <- c(0, 0, 0, 1, 1); y <- c(0, 1, 1, 1, 1, 1)
    {
        "name": "zero-one values",
        "x": [0, 0, 0, 1, 1],
        "y": [0, 1, 1, 1, 1, 1],
        "statistic": 8.5,
        "p_value": 0.1560692634,
        "exact_p_value": None,
        "shift": -0.5,
    },
    # x <- c(...); y <- c(...), the values below
    {
        "name": "twelve and fifteen, no ties",
        "x": [31, 44, 52, 18, 67, 73, 25, 39, 58, 81, 12, 49],
        "y": [33, 61, 76, 88, 54, 91, 47, 69, 83, 95, 28, 72, 64, 79, 57],
        "statistic": 43.0,
        "p_value": 0.02182699004,
        "exact_p_value": 0.02141273572,
        "shift": -21.0,
    },
    # x <- c(...); y <- c(...), the values below
    {
        "name": "29 and 47 synthetic values, ties",
        "x": [
            440, 15880, 3290, 5750, 1290, 3660, 1340, 16520, 1630, 2580, 3850, 1370, 2750, 1760,
            1190, 780, 260, 410, 2410, 990, 1750, 2780, 1220, 1170, 8260, 5950, 2610, 1610,
            1740,
        ],
        "y": [
            550, 9440, 7040, 2960, 2850, 5190, 310, 170, 2540, 440, 720, 880, 3660, 8400, 1390,
            300, 3500, 2530, 420, 500, 17310, 1360, 1970, 800, 1240, 3580, 3750, 850, 1030,
            7180, 5010, 750, 8170, 2260, 1870, 1820, 2220, 4900, 3360, 10110, 770, 1320, 1370,
            2580, 1610, 1620, 2500,
        ],
        "statistic": 690.5,
        "p_value": 0.9233301264,
        "exact_p_value": None,
        "shift": 30.0,
    },
]

# POISSON: observed x, expected T (or person-years), level and
#   ratio     poisson.test(x, T)$estimate, x / T
#   garwood   poisson.test(x, T, conf.level=level)$conf.int, exact
#   byar      Breslow and Day (1987), volume II, page 69, with z <- qnorm(1 - alpha / 2), alpha <- 1 - level:
#             x * (1 - 1 / (9 * x) - z / (3 * sqrt(x)))^3 / T, 0 for x = 0;
#             (x + 1) * (1 - 1 / (9 * (x + 1)) + z / (3 * sqrt(x + 1)))^3 / T
#   mid_p     mu / T, mu by uniroot with tol = 1e-14:
#             lower: ppois(x, mu, lower.tail=FALSE) + dpois(x, mu) / 2 = alpha / 2; 0 for x = 0
#             upper: ppois(x - 1, mu) + dpois(x, mu) / 2 = alpha / 2; so -log(alpha) / T for x = 0
POISSON = [
    # poisson.test(0, 0.3571, conf.level=0.95)
    {
        "observed": 0,
        "expected": 0.3571,
        "level": 0.95,
        "ratio": 0.0,
        "garwood": (0.0, 10.33010208),
        "byar": (0.0, 10.27166573),
        "mid_p": (0.0, 8.389057053),
    },
    # poisson.test(0, 1, conf.level=0.9)
    {
        "observed": 0,
        "expected": 1,
        "level": 0.9,
        "ratio": 0.0,
        "garwood": (0.0, 2.995732274),
        "byar": (0.0, 2.968434973),
        "mid_p": (0.0, 2.302585093),
    },
    # poisson.test(1, 0.3571, conf.level=0.95)
    {
        "observed": 1,
        "expected": 0.3571,
        "level": 0.95,
        "ratio": 2.80033604,
        "garwood": (0.07089837016, 15.60247379),
        "byar": (0.03660636489, 15.58038528),
        "mid_p": (0.1400737744, 13.81086677),
    },
    # poisson.test(1, 2.5, conf.level=0.9)
    {
        "observed": 1,
        "expected": 2.5,
        "level": 0.9,
        "ratio": 0.4,
        "garwood": (0.02051731776, 1.897545807),
        "byar": (0.01580558406, 1.891209988),
        "mid_p": (0.04006372979, 1.645201312),
    },
    # poisson.test(3, 1.2, conf.level=0.95)
    {
        "observed": 3,
        "expected": 1.2,
        "level": 0.95,
        "ratio": 2.5,
        "garwood": (0.5155601024, 7.306060891),
        "byar": (0.5024771425, 7.304470331),
        "mid_p": (0.6359135815, 6.80372434),
    },
    # poisson.test(3, 1.2, conf.level=0.9)
    {
        "observed": 3,
        "expected": 1.2,
        "level": 0.9,
        "ratio": 2.5,
        "garwood": (0.6814095393, 6.46138044),
        "byar": (0.6752517043, 6.453776927),
        "mid_p": (0.835742971, 5.967352787),
    },
    # poisson.test(8, 0.3571, conf.level=0.95)
    {
        "observed": 8,
        "expected": 0.3571,
        "level": 0.95,
        "ratio": 22.40268832,
        "garwood": (9.671890722, 44.14222688),
        "byar": (9.646291374, 44.14449872),
        "mid_p": (10.40435661, 42.54129192),
    },
    # poisson.test(8, 0.3571, conf.level=0.9)
    {
        "observed": 8,
        "expected": 0.3571,
        "level": 0.9,
        "ratio": 22.40268832,
        "garwood": (11.14764152, 40.42186983),
        "byar": (11.14060237, 40.40854621),
        "mid_p": (11.97290141, 38.8450281),
    },
    # poisson.test(30, 24.6, conf.level=0.95)
    {
        "observed": 30,
        "expected": 24.6,
        "level": 0.95,
        "ratio": 1.219512195,
        "garwood": (0.822799757, 1.740929488),
        "byar": (0.8226398005, 1.740990729),
        "mid_p": (0.8378667539, 1.718948733),
    },
    # poisson.test(30, 24.6, conf.level=0.9)
    {
        "observed": 30,
        "expected": 24.6,
        "level": 0.9,
        "ratio": 1.219512195,
        "garwood": (0.8778040336, 1.654085675),
        "byar": (0.8777923596, 1.654012344),
        "mid_p": (0.8936688883, 1.632335791),
    },
    # poisson.test(100, 80, conf.level=0.95)
    {
        "observed": 100,
        "expected": 80,
        "level": 0.95,
        "ratio": 1.25,
        "garwood": (1.017049891, 1.520334922),
        "byar": (1.017026319, 1.52034922),
        "mid_p": (1.022397764, 1.513793636),
    },
    # poisson.test(100, 80, conf.level=0.9)
    {
        "observed": 100,
        "expected": 80,
        "level": 0.9,
        "ratio": 1.25,
        "garwood": (1.051740965, 1.47599091),
        "byar": (1.051742451, 1.475981411),
        "mid_p": (1.057229882, 1.469493058),
    },
]

# QUANTILES: quantile(values, c(.25, .5, .75), type=6) (SPSS, NumPy's "weibull") and type=7 (R's and NumPy's
# default).
# Type 6 with (n + 1) * p below 1 is the least value, above n the greatest: n = 1 and 2.
QUANTILES = [
    # quantile(c(5), c(.25, .5, .75), type=6)
    {
        "values": [5],
        "type_6": [5.0, 5.0, 5.0],
        "type_7": [5.0, 5.0, 5.0],
    },
    # quantile(c(2, 9), c(.25, .5, .75), type=6)
    {
        "values": [2, 9],
        "type_6": [2.0, 5.5, 9.0],
        "type_7": [3.75, 5.5, 7.25],
    },
    # quantile(c(1, 4, 10), c(.25, .5, .75), type=6)
    {
        "values": [1, 4, 10],
        "type_6": [1.0, 4.0, 10.0],
        "type_7": [2.5, 4.0, 7.0],
    },
    # quantile(c(7, 1, 3, 5), c(.25, .5, .75), type=6)
    {
        "values": [7, 1, 3, 5],
        "type_6": [1.5, 4.0, 6.5],
        "type_7": [2.5, 4.0, 5.5],
    },
    # quantile(c(3, 1, 4, 1, 5), c(.25, .5, .75), type=6)
    {
        "values": [3, 1, 4, 1, 5],
        "type_6": [1.0, 3.0, 4.5],
        "type_7": [1.0, 3.0, 4.0],
    },
    # quantile(c(10, 20, 30, 40, 50, 60), c(.25, .5, .75), type=6)
    {
        "values": [10, 20, 30, 40, 50, 60],
        "type_6": [17.5, 35.0, 52.5],
        "type_7": [22.5, 35.0, 47.5],
    },
    # quantile(c(120, 310, 954, 1800, 2594, 4400, 5652), c(.25, .5, .75), type=6)
    {
        "values": [120, 310, 954, 1800, 2594, 4400, 5652],
        "type_6": [310.0, 1800.0, 4400.0],
        "type_7": [632.0, 1800.0, 3497.0],
    },
    # quantile(c(1, 2, 3, 4, 5, 6, 7, 8), c(.25, .5, .75), type=6)
    {
        "values": [1, 2, 3, 4, 5, 6, 7, 8],
        "type_6": [2.25, 4.5, 6.75],
        "type_7": [2.75, 4.5, 6.25],
    },
    # quantile(c(2.5, 3.5, 3.5, 4.25, 8, 9.75, 11, 12, 40), c(.25, .5, .75), type=6)
    {
        "values": [2.5, 3.5, 3.5, 4.25, 8, 9.75, 11, 12, 40],
        "type_6": [3.5, 8.0, 11.5],
        "type_7": [3.5, 8.0, 11.0],
    },
    # quantile(c(1, 2, 4, 8, 16, 32, 64, 128, 256, 512), c(.25, .5, .75), type=6)
    {
        "values": [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
        "type_6": [3.5, 24.0, 160.0],
        "type_7": [5.0, 24.0, 112.0],
    },
    # quantile(c(...), c(.25, .5, .75), type=6), the 29 values below
    {
        "values": [
            260, 410, 440, 780, 990, 1170, 1190, 1220, 1290, 1340, 1370, 1610, 1630, 1740, 1750,
            1760, 2410, 2580, 2610, 2750, 2780, 3290, 3660, 3850, 5750, 5950, 8260, 15880,
            16520,
        ],
        "type_6": [1205.0, 1750.0, 3475.0],
        "type_7": [1220.0, 1750.0, 3290.0],
    },
    # quantile(c(...), c(.25, .5, .75), type=6), the 47 values below
    {
        "values": [
            170, 300, 310, 420, 440, 500, 550, 720, 750, 770, 800, 850, 880, 1030, 1240, 1320,
            1360, 1370, 1390, 1610, 1620, 1820, 1870, 1970, 2220, 2260, 2500, 2530, 2540, 2580,
            2850, 2960, 3360, 3500, 3580, 3660, 3750, 4900, 5010, 5190, 7040, 7180, 8170, 8400,
            9440, 10110, 17310,
        ],
        "type_6": [850.0, 1970.0, 3660.0],
        "type_7": [865.0, 1970.0, 3620.0],
    },
]

# HOLM: p.adjust(p, "holm"); a missing P (NA, here None) stays missing and does not count as a test.
HOLM = [
    # p.adjust(c(0.01, 0.04, NA, 0.03, 0.04, 0.5, 0.01), "holm")
    {
        "name": "ties and one missing",
        "p_values": [0.01, 0.04, None, 0.03, 0.04, 0.5, 0.01],
        "adjusted": [0.06, 0.12, None, 0.12, 0.12, 0.5, 0.06],
    },
    # p.adjust(c(0.005, 0.011, 0.02, 0.04, 0.13), "holm")
    {
        "name": "none missing",
        "p_values": [0.005, 0.011, 0.02, 0.04, 0.13],
        "adjusted": [0.025, 0.044, 0.06, 0.08, 0.13],
    },
    # p.adjust(c(0.03), "holm")
    {
        "name": "one P value",
        "p_values": [0.03],
        "adjusted": [0.03],
    },
    # p.adjust(c(0.4, 0.9, 0.6), "holm")
    {
        "name": "all large, held at 1",
        "p_values": [0.4, 0.9, 0.6],
        "adjusted": [1.0, 1.0, 1.0],
    },
    # p.adjust(c(0.811, 0.0104, 0.4936, 0.242, 1.0, 0.04332), "holm")
    {
        "name": "Table 2, two-sided Fisher, in printed order",
        "p_values": [0.811, 0.0104, 0.4936, 0.242, 1.0, 0.04332],
        "adjusted": [1.0, 0.0624, 1.0, 0.968, 1.0, 0.2166],
    },
]

# HULL_EXCEPTIONS: tables with P < 0.05 although their 95 % interval contains 1. The confidence set has a
# gap around 1 which the interval, its hull, bridges: a little beyond 1 a table of the other tail ties with
# the observed one and lifts P above 0.05 once more (to 0.0503 at most in this list).
# Searched: every 2 x 2 table up to 150 patients. Up to 55 patients there is none at the 95 % level. Up to
# 100 there are 15 (apart from exchanging rows, columns, or rows with columns): with 56, 57, 62, 66, 70, 71,
# 73, 74, 75, 77, 90 (two), 91, 95 and 100 patients; up to 150 there are 45. So none with 64 or with 76
# patients. At the 90 % level they begin with 55 patients, at 99 % with 89. The reverse, P >= 0.05 and 1
# outside the interval, cannot happen.
HULL_EXCEPTIONS = [
    # exact2x2(matrix(c(0, 12, 13, 31), 2, byrow=TRUE), tsmethod="minlike", tol=1e-10)
    {"table": [[0, 12], [13, 31]], "p_value": 0.04946409616, "interval": (0.0, 1.065856878)},
    # exact2x2(matrix(c(0, 12, 13, 32), 2, byrow=TRUE), tsmethod="minlike", tol=1e-10)
    {"table": [[0, 12], [13, 32]], "p_value": 0.04984134334, "interval": (0.0, 1.096826232)},
    # exact2x2(matrix(c(0, 10, 17, 35), 2, byrow=TRUE), tsmethod="minlike", tol=1e-10)
    {"table": [[0, 10], [17, 35]], "p_value": 0.04962192833, "interval": (0.0, 1.095663929)},
    # exact2x2(matrix(c(1, 15, 17, 33), 2, byrow=TRUE), tsmethod="minlike", tol=1e-10)
    {"table": [[1, 15], [17, 33]], "p_value": 0.0498241968, "interval": (0.005898572, 1.025380485)},
    # exact2x2(matrix(c(1, 13, 21, 35), 2, byrow=TRUE), tsmethod="minlike", tol=1e-10)
    {"table": [[1, 13], [21, 35]], "p_value": 0.0498894151, "interval": (0.00584947, 1.011274273)},
    # exact2x2(matrix(c(1, 13, 21, 36), 2, byrow=TRUE), tsmethod="minlike", tol=1e-10)
    {"table": [[1, 13], [21, 36]], "p_value": 0.04994730963, "interval": (0.006016496, 1.037272028)},
    # exact2x2(matrix(c(0, 9, 23, 41), 2, byrow=TRUE), tsmethod="minlike", tol=1e-10)
    {"table": [[0, 9], [23, 41]], "p_value": 0.04954207836, "interval": (0.0, 1.04013307)},
    # exact2x2(matrix(c(0, 9, 23, 42), 2, byrow=TRUE), tsmethod="minlike", tol=1e-10)
    {"table": [[0, 9], [23, 42]], "p_value": 0.04960845324, "interval": (0.0, 1.063540981)},
    # exact2x2(matrix(c(0, 9, 23, 43), 2, byrow=TRUE), tsmethod="minlike", tol=1e-10)
    {"table": [[0, 9], [23, 43]], "p_value": 0.04985361505, "interval": (0.0, 1.086948163)},
    # exact2x2(matrix(c(1, 12, 25, 39), 2, byrow=TRUE), tsmethod="minlike", tol=1e-10)
    {"table": [[1, 12], [25, 39]], "p_value": 0.04993579183, "interval": (0.00593891, 1.016932458)},
    # exact2x2(matrix(c(7, 255, 30, 464), 2, byrow=TRUE), tsmethod="minlike", tol=1e-10)
    {"table": [[7, 255], [30, 464]], "p_value": 0.04996256423, "interval": (0.177257008, 1.013828237)},
]

# EXACTLY_FIVE_PERCENT: every table up to 40 patients (apart from the same exchanges) whose two-sided P is
# 1/20 exactly, so not below 0.05: binary rounding must not make it significant, and the interval, closed,
# contains 1.
EXACTLY_FIVE_PERCENT = [[[2, 0], [2, 12]], [[1, 0], [0, 19]], [[2, 0], [4, 19]], [[1, 0], [1, 38]]]
