num_stages = 1

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.03 - torch.norm(end_effector - keypoints[0])
