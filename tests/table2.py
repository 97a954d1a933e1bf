"""Classes of imbalanced-learn that are samplers of Table 2."""

TABLE2 = """
ClusterCentroids CondensedNearestNeighbour EditedNearestNeighbours
RepeatedEditedNearestNeighbours AllKNN InstanceHardnessThreshold NearMiss
NeighbourhoodCleaningRule OneSidedSelection RandomUnderSampler TomekLinks
ADASYN BorderlineSMOTE KMeansSMOTE RandomOverSampler SMOTE SMOTEN SVMSMOTE
SMOTEENN SMOTETomek
""".split()
