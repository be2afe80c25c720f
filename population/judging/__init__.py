"""From grades to scores and fitness: who may grade whom, aggregation, selectors, ratings."""
