# Reference values for the statistics, computed in R 4.2.2; the tests read golden.csv and need no R.
#
#   Rscript tests/golden/golden.R
#
# reads inputs.csv and writes golden.csv, both beside this file: one number per row, with ten significant digits, the
# intervals of odds ratios with nine decimals (compared within 2e-9); Inf, NaN and NA as R writes them. `at` is the
# confidence level of a limit, the probability of a quantile, or the place of an adjusted P value among its P values.
# Every value was confirmed by a second computation (exact fractions, 45-digit decimals, SciPy or NumPy).
#
# An input is rows of numbers with " / " between them: the rows of a table, or two samples; `levels` are the confidence
# levels asked for. Rows of table1 are adults, then juveniles; of table2 extended, then limited weakness; of text
# polymyositis, then dermatomyositis; the columns are yes, no.
#
# Intervals of odds ratios need the CRAN package exact2x2 (Fay), its exact2x2CI in the form it has since version 1.1-0.
# Where it is not installed, these rows (ci_low, ci_high) are kept as golden.csv holds them.

setwd(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))))
installed <- requireNamespace("exact2x2", quietly = TRUE)

results <- function(values, at = "", statistic = names(values), format = "%.10g") {
  data.frame(statistic = statistic, at = at, value = sprintf(format, values))
}
bind_rows <- function(items, compute) do.call(rbind, lapply(items, compute))

# All first cells that a 2x2 table with the margins of m can have, and their probabilities at an odds ratio.
first_cells <- function(m) max(0, sum(m[, 1]) - sum(m[2, ])):min(sum(m[1, ]), sum(m[, 1]))
probabilities <- function(m, log_ratio) {
  s <- first_cells(m)
  d <- dhyper(s, sum(m[1, ]), sum(m[2, ]), sum(m[, 1]), log = TRUE) + s * log_ratio
  exp(d - max(d)) / sum(exp(d - max(d)))
}
solve_log_ratio <- function(equation) exp(uniroot(equation, c(-30, 30), tol = 1e-15)$root)

# Conditional maximum likelihood by fisher.test's own equation, expected first cell = observed. fisher.test itself
# stops at tol = 1.2e-4, which is 1 % off for the largest ratio here, and prints 0 where a margin is empty: then every
# odds ratio is equally likely, and there is no estimate.
odds_ratio <- function(m) {
  s <- first_cells(m)
  if (length(s) == 1) return(NaN)
  if (m[1, 1] == min(s)) return(0)
  if (m[1, 1] == max(s)) return(Inf)
  solve_log_ratio(function(log_ratio) sum(s * probabilities(m, log_ratio)) - m[1, 1])
}

# The hull of all odds ratios whose two-sided P is at least 1 - level. With equal groups it often ends at exactly 1
# although P is above 0.05: at 1 the mirror table ties with the observed one, beside 1 it does not. So "excludes 1" is
# strict, and rounding must not push such a limit to the wrong side of 1.
hull <- function(m, levels) bind_rows(levels, function(level) {
  limits <- c(NA, NA)
  if (installed) limits <- exact2x2::exact2x2(m, tsmethod = "minlike", conf.level = level, tol = 1e-10)$conf.int
  results(limits, level, c("ci_low", "ci_high"), "%.9f")
})

table_of <- function(rows) do.call(rbind, rows)
fisher_p <- function(rows, levels) results(c(p_value = fisher.test(table_of(rows))$p.value))

compute <- list(
  fisher = function(rows, levels) {
    m <- table_of(rows)
    rbind(fisher_p(rows), results(c(odds_ratio = odds_ratio(m))), hull(m, levels))
  },

  # Tables with P < 0.05 although their 95 % interval contains 1: the confidence set has a gap around 1 which its hull
  # bridges, for a little beyond 1 a table of the other tail ties with the observed one and lifts P above 0.05 once
  # more. Searched: all tables up to 150 patients. Apart from exchanges of rows, columns, or rows with columns, there
  # is none up to 55 patients, 15 up to 100 (with 56, 57, 62, 66, 70, 71, 73, 74, 75, 77, 90 twice, 91, 95 and 100
  # patients), 45 up to 150. At the 90 % level they begin with 55 patients, at 99 % with 89. The reverse, P >= 0.05
  # and 1 outside the interval, cannot happen.
  fisher_gap = function(rows, levels) rbind(fisher_p(rows), hull(table_of(rows), levels)),

  # All tables up to 40 patients (apart from the same exchanges) whose P is 1/20 exactly, so not below 0.05: binary
  # rounding must not make it significant, and the interval, closed, contains 1.
  fisher_five_percent = fisher_p,

  # The upper limit that fisher.test(m)$conf.int itself prints, from two one-sided tests, there with tol = 1.2e-4.
  fisher_central = function(rows, levels) bind_rows(levels, function(level) {
    m <- table_of(rows)
    here <- first_cells(m) <= m[1, 1]
    lower_tail <- function(log_ratio) sum(probabilities(m, log_ratio)[here]) - (1 - level) / 2
    results(c(central_high = solve_log_ratio(lower_tail)), level)
  }),

  fisher_rxc = fisher_p,

  # The P values of nxp2lib.conventions, in its order. mid_p_doubled is exact2x2(m, midp = TRUE).
  conventions = function(rows, levels) {
    m <- table_of(rows)
    one_sided <- sapply(c("less", "greater"), function(side) fisher.test(m, alternative = side)$p.value)
    d <- probabilities(m, 0)
    here <- first_cells(m) == m[1, 1]
    smaller_tail <- pmin(cumsum(d), rev(cumsum(rev(d))))
    same <- 1 + 1e-7 # fisher.test's own slack for equally likely tables
    likelier <- d > d[here] * same
    tied <- !likelier & d >= d[here] / same
    pearson <- suppressWarnings(chisq.test(m, correct = FALSE)) # warns of small expected counts
    chi_square <- pearson$statistic[[1]]
    g <- 2 * sum(ifelse(m == 0, 0, m * log(m / pearson$expected)))
    results(c(
      fisher = fisher.test(m)$p.value,
      fisher_doubled = min(1, 2 * min(one_sided)),
      fisher_blaker = sum(d[smaller_tail <= smaller_tail[here] * same]),
      fisher_one_sided = min(one_sided),
      fisher_less = one_sided[["less"]],
      fisher_greater = one_sided[["greater"]],
      mid_p = sum(d[!likelier]) - sum(d[tied]) / 2,
      mid_p_doubled = 2 * min(one_sided) - d[here],
      chi_square = pearson$p.value,
      chi_square_yates = suppressWarnings(chisq.test(m))$p.value,
      chi_square_n_minus_1 = pchisq(chi_square * (sum(m) - 1) / sum(m), 1, lower.tail = FALSE),
      g_test = pchisq(g, 1, lower.tail = FALSE)
    ))
  },

  # statistic: pairs with x above y, ties count one half. R has no exact P with ties, and no P at all where all values
  # are equal. shift: Hodges and Lehmann's, with ties by its definition; positive where x is larger.
  mann_whitney = function(rows, levels) {
    x <- rows[[1]]
    y <- rows[[2]]
    normal <- wilcox.test(x, y, exact = FALSE, correct = FALSE)
    exact <- list(p.value = NA, estimate = median(outer(x, y, "-")))
    if (!anyDuplicated(c(x, y))) exact <- suppressWarnings(wilcox.test(x, y, exact = TRUE, conf.int = TRUE))
    results(c(statistic = normal$statistic[[1]], p_value = normal$p.value, exact_p_value = exact$p.value,
              shift = exact$estimate[[1]]))
  },

  # Observed x, expected (or person-years). garwood: exact. byar: Breslow and Day (1987), volume II, page 69. mid_p:
  # half of the observed count's own probability belongs to each tail.
  poisson = function(rows, levels) {
    x <- rows[[1]][1]
    expected <- rows[[1]][2]
    limits <- bind_rows(levels, function(level) {
      alpha <- 1 - level
      z <- qnorm(1 - alpha / 2)
      garwood <- poisson.test(x, expected, conf.level = level)$conf.int
      byar <- function(n, z) n * (1 - 1 / (9 * n) + z / (3 * sqrt(n)))^3 / expected
      solve_mean <- function(tail) uniroot(function(mean) tail(mean) - alpha / 2, c(0, 10 * x + 10), tol = 1e-14)$root
      upper_tail <- function(mean) ppois(x, mean, lower.tail = FALSE) + dpois(x, mean) / 2
      lower_tail <- function(mean) ppois(x - 1, mean) + dpois(x, mean) / 2
      results(c(
        garwood_low = garwood[1], garwood_high = garwood[2],
        byar_low = if (x == 0) 0 else byar(x, -z), byar_high = byar(x + 1, z),
        mid_p_low = if (x == 0) 0 else solve_mean(upper_tail) / expected, mid_p_high = solve_mean(lower_tail) / expected
      ), level)
    })
    rbind(results(c(ratio = poisson.test(x, expected)$estimate[[1]])), limits)
  },

  # Type 6 is SPSS's and NumPy's "weibull", type 7 the default of R and NumPy. Type 6 with (n + 1) * p below 1 is the
  # least value, above n the greatest: n = 1 and 2.
  quantiles = function(rows, levels) {
    p <- c(0.25, 0.5, 0.75)
    bind_rows(6:7, function(type) results(quantile(rows[[1]], p, type = type), p, paste0("type_", type)))
  },

  # A missing P (NA) stays missing and does not count as a test.
  holm = function(rows, levels) {
    results(p.adjust(rows[[1]], "holm"), seq_along(rows[[1]]), "adjusted")
  }
)

inputs <- read.csv("inputs.csv", colClasses = "character")
golden <- bind_rows(seq_len(nrow(inputs)), function(line) {
  case <- inputs[line, ]
  rows <- lapply(strsplit(case$input, " / ")[[1]], function(row) scan(text = row, quiet = TRUE))
  levels <- scan(text = case$levels, quiet = TRUE)
  data.frame(case[c("set", "case")], compute[[case$set]](rows, levels), row.names = NULL)
})

if (!installed) {
  kept <- golden$statistic %in% c("ci_low", "ci_high")
  key <- function(frame) paste(frame$set, frame$case, frame$statistic, frame$at, sep = "\n")
  stored <- read.csv("golden.csv", colClasses = "character")
  golden$value[kept] <- stored$value[match(key(golden[kept, ]), key(stored))]
  if (anyNA(golden$value[kept])) stop("golden.csv lacks an interval, and exact2x2 is not installed")
}

output <- file("golden.csv", "wb") # the same bytes on every system
write.csv(golden, output, row.names = FALSE, quote = 2)
close(output)
